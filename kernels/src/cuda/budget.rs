use super::KernelResources;

/// How many registers and spills a kernel may take, whatever the architecture.
///
/// A multiprocessor has 65,536 registers: with more than 64 per thread fewer
/// than 1,024 threads are resident, with more than 32 fewer than 2,048. These
/// kernels wait for memory, and resident threads are what hides that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Name of the `__global__` function.
    pub entry: &'static str,
    /// Most registers per thread.
    pub registers: u32,
    /// Most bytes per thread of spill stores, and of spill loads.
    pub spill_bytes: u32,
}

/// The budgets, tight enough that one more register per value shows. A kernel
/// that is not listed has 64 registers and no spills.
pub const BUDGETS: &[Budget] = &[
    without_spills("add_residual", 32),
    without_spills("norm_after_add", 32),
    without_spills("add_rms_norm", 32),
    without_spills("attention_block_per_head_64", 48),
    without_spills("attention_block_per_head_128", 48),
    without_spills("attention_split_k_64", 48),
    without_spills("attention_split_k_128", 48),
    without_spills("attention_merge", 32),
    without_spills("f32_to_bf16_plain", 32),
    without_spills("f32_to_bf16_vector", 32),
    without_spills("bf16_to_f32_plain", 32),
    without_spills("bf16_to_f32_vector", 32),
    without_spills("ffn_project_f32", 40),
    without_spills("ffn_project_bf16", 40),
    without_spills("ffn_project_batched_f32", 40),
    without_spills("ffn_project_batched_bf16", 40),
    without_spills("matvec_bf16_thread_per_row", 32),
    without_spills("matvec_bf16_warp_per_row", 40),
    without_spills("rms_norm_tree_f32", 32),
    without_spills("rms_norm_shuffle_f32", 32),
    without_spills("rms_norm_vector_f32", 32),
    without_spills("rms_norm_shuffle_bf16", 32),
    without_spills("rms_norm_vector_bf16", 32),
    without_spills("sampling_repeated_argmax", 32),
    without_spills("sampling_uncertainty", 32),
    without_spills("sampling_select_tile", 32),
    without_spills("sampling_select_tile_uncertainty", 32),
    without_spills("sampling_merge", 32),
    without_spills("sampling_draw", 32),
    without_spills("sampling_draw_uncertainty", 32),
    without_spills("softmax_three_pass_f32", 32),
    without_spills("softmax_warp_shuffle_f32", 32),
    without_spills("softmax_online_f32", 32),
    without_spills("softmax_online_vector_f32", 32),
    without_spills("softmax_three_pass_bf16", 32),
    without_spills("softmax_warp_shuffle_bf16", 32),
    without_spills("softmax_online_bf16", 32),
    without_spills("softmax_online_vector_bf16", 32),
];

const fn without_spills(entry: &'static str, registers: u32) -> Budget {
    Budget {
        entry,
        registers,
        spill_bytes: 0,
    }
}

impl Budget {
    /// The budget of a kernel.
    #[must_use]
    pub fn of(entry: &str) -> Self {
        let listed = BUDGETS.iter().find(|budget| budget.entry == entry);
        listed.copied().unwrap_or(without_spills("", 64))
    }

    /// Compares what a kernel takes with what it may take.
    ///
    /// # Errors
    /// What exceeds the budget, in words.
    pub fn check(&self, taken: &KernelResources) -> Result<(), String> {
        let KernelResources { entry, arch, .. } = taken;
        let mut excesses = Vec::new();
        for (amount, most, unit) in [
            (taken.registers, self.registers, "registers"),
            (
                taken.spill_store_bytes,
                self.spill_bytes,
                "bytes of spill stores",
            ),
            (
                taken.spill_load_bytes,
                self.spill_bytes,
                "bytes of spill loads",
            ),
        ] {
            if amount > most {
                excesses.push(format!("{amount} {unit} (at most {most})"));
            }
        }
        if excesses.is_empty() {
            return Ok(());
        }
        Err(format!("{entry} for {arch} takes {}", excesses.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(registers: u32, spill_bytes: u32) -> KernelResources {
        KernelResources {
            entry: "kernel".into(),
            arch: "sm_90".into(),
            registers,
            shared_bytes: 0,
            stack_bytes: 0,
            spill_store_bytes: spill_bytes,
            spill_load_bytes: 0,
        }
    }

    #[test]
    fn a_kernel_within_its_budget_passes_and_one_beyond_fails() {
        let budget = Budget::of("not listed");
        assert_eq!(budget.check(&taken(64, 0)), Ok(()));
        assert_eq!(
            budget.check(&taken(65, 4)).unwrap_err(),
            "kernel for sm_90 takes 65 registers (at most 64), 4 bytes of spill stores (at most 0)"
        );
    }

    #[test]
    fn every_budget_belongs_to_one_kernel() {
        for (position, budget) in BUDGETS.iter().enumerate() {
            let head = format!("__global__ void {}(", budget.entry);
            let sources = crate::tasks::sources();
            let found = sources.iter().filter(|source| source.text.contains(&head));
            assert_eq!(found.count(), 1, "{}", budget.entry);
            let again = BUDGETS[..position].iter().any(|b| b.entry == budget.entry);
            assert!(!again, "{} stands twice", budget.entry);
        }
    }
}
