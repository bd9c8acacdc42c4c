use evenhand_kernels::task::{Role, Task};
use evenhand_kernels::tasks;
use proptest::prelude::*;

/// Runs every CPU counterpart over poisoned memory and demands the reference,
/// untouched inputs, and a check that a poisoned output fails.
fn assert_honest(task: &Task) {
    assert!(
        task.check(&task.fresh_buffers()).is_err(),
        "{}",
        task.label()
    );
    for variant in &task.variants {
        let Some(cpu) = &variant.cpu else { continue };
        let mut buffers = task.fresh_buffers();
        cpu.run(&mut buffers);
        if let Err(mismatch) = task.check(&buffers) {
            panic!("{}, {}: {mismatch}", task.label(), variant.name);
        }
        for (after, before) in buffers.iter().zip(&task.buffers) {
            if before.role == Role::Input {
                assert_eq!(
                    after.data,
                    before.data,
                    "{}, {}",
                    task.label(),
                    variant.name
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn counterparts_agree_for_any_shape(seed: u64, rows in 1usize..5, cols in 1usize..700) {
        for task in [
            tasks::softmax(rows, cols, seed),
            tasks::softmax_bf16(rows, cols, seed),
            tasks::rms_norm(rows, cols, seed),
            tasks::rms_norm_bf16(rows, cols, seed),
            tasks::add_rms_norm(rows, cols, seed),
            tasks::f32_to_bf16(rows * cols, seed),
            tasks::bf16_to_f32(rows * cols, seed),
            tasks::upload_as_bf16(rows * cols, seed),
        ] {
            assert_honest(&task);
        }
    }
}

#[test]
fn names_are_unique_and_outputs_have_a_reference() {
    for task in tasks::all_small(0) {
        let mut names: Vec<&str> = task.variants.iter().map(|v| v.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), task.variants.len(), "{}", task.label());
        assert_eq!(
            task.buffers[task.output].role,
            Role::Output,
            "{}",
            task.label()
        );
        assert_eq!(task.buffers[task.output].data.len(), task.reference.len());
    }
}

#[test]
fn vector_variants_need_aligned_rows() {
    let has = |task: Task, name| task.variant(name).is_some();
    assert!(has(tasks::softmax(1, 76, 0), "online_vector"));
    assert!(!has(tasks::softmax(1, 77, 0), "online_vector"));
    assert!(!has(tasks::softmax_bf16(1, 76, 0), "online_vector"));
    assert!(has(tasks::rms_norm_bf16(1, 80, 0), "vector"));
    assert!(!has(tasks::rms_norm_bf16(1, 76, 0), "vector"));
}
