//! Every variant against its `f64` reference, and the laws each kernel obeys.

mod attention;
mod causal_attention;
mod convert;
mod ffn;
mod inputs;
mod linear;
mod matvec;
mod pages;
mod rms_norm;
mod softmax;
mod task_shapes;
mod tasks;
mod top_k;
mod uncertainty;

/// Odd sizes around the lane and block widths, and the usual ones.
const SIZES: [usize; 9] = [1, 7, 16, 63, 65, 255, 256, 4095, 4096];
const SEEDS: [u64; 3] = [0, 7, 0xDEAD_BEEF];

/// Runs a variant over poisoned output and compares it with the reference.
macro_rules! assert_agrees {
    ($kernel:expr, $variant:ident) => {{
        let mut kernel = $kernel;
        kernel.poison();
        kernel.$variant();
        if let Err(mismatch) = kernel
            .tolerance()
            .check(kernel.output(), &kernel.reference())
        {
            panic!("{}: {mismatch}", stringify!($kernel.$variant()));
        }
    }};
}
pub(crate) use assert_agrees;
