use super::SEEDS;
use evenhand_kernels::tasks::{self, Sampling};

#[test]
fn every_cpu_counterpart_agrees_with_the_reference() {
    for seed in SEEDS {
        for task in tasks::all_small(seed) {
            for variant in &task.variants {
                let Some(cpu) = &variant.cpu else { continue };
                let mut buffers = task.fresh_buffers();
                cpu.run(&mut buffers);
                if let Err(mismatch) = task.check(&buffers) {
                    panic!("{}, {}: {mismatch}", task.label(), variant.name);
                }
            }
        }
    }
}

#[test]
fn every_launched_kernel_stands_in_its_source() {
    for task in tasks::all_small(0) {
        for launch in task.variants.iter().flat_map(|v| v.iter_launches()) {
            let head = format!("__global__ void {}(", launch.entry);
            assert!(launch.source.text.contains(&head), "{}", launch.entry);
            let listed = tasks::sources()
                .iter()
                .any(|source| source.file == launch.source.file);
            assert!(listed, "{} is not listed", launch.source.file);
        }
    }
}

#[test]
fn a_wrong_token_fails_the_check() {
    let sizes = Sampling {
        vocabulary: 128_256,
        k: 40,
        temperature: 0.8,
    };
    let task = tasks::sampling(sizes, 7);
    let mut buffers = task.fresh_buffers();
    task.variants[0].cpu.as_ref().unwrap().run(&mut buffers);
    task.check(&buffers).unwrap();
    // The neighbour of a high token is the hardest to tell.
    buffers[task.output].data.f32_mut()[1] += 1.0;
    assert!(task.check(&buffers).is_err());
}

#[test]
#[should_panic(expected = "cannot tell 16000000 tokens apart")]
fn a_vocabulary_beyond_the_tolerance_is_refused() {
    let sizes = Sampling {
        vocabulary: 16_000_000,
        k: 40,
        temperature: 0.8,
    };
    let _ = tasks::sampling(sizes, 7);
}
