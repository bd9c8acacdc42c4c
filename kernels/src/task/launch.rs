use super::Source;

/// One step of a variant. Every buffer has a side on the host and a side on
/// the device; before the first step both hold the buffer's initial values,
/// except that the device sides of buffers that the variant uploads are
/// poisoned.
#[derive(Clone, Debug)]
pub enum Step {
    /// Runs a kernel on the device sides.
    Launch(Launch),
    /// Converts between `f32` and bf16 on the host sides, with
    /// [`f32_to_bf16_branch_free`](crate::cpu::convert::f32_to_bf16_branch_free)
    /// or [`bf16_to_f32_shift`](crate::cpu::convert::bf16_to_f32_shift).
    ConvertOnHost {
        /// The buffer read.
        from: usize,
        /// The buffer written.
        to: usize,
    },
    /// Copies the host side of a buffer to its device side.
    Upload {
        /// The buffer.
        buffer: usize,
        /// What kind of memory its host side is.
        memory: HostMemory,
    },
}

impl From<Launch> for Step {
    fn from(launch: Launch) -> Self {
        Self::Launch(launch)
    }
}

/// How the operating system holds host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostMemory {
    /// Ordinary memory: the driver copies it through a staging buffer.
    Pageable,
    /// Page-locked, not write-combined: the copy engine reads it directly.
    Pinned,
}

/// A kernel launch, all of it but the addresses of buffers.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The text that holds the kernel.
    pub source: &'static Source,
    /// Name of the `extern "C" __global__` function.
    pub entry: &'static str,
    /// Blocks in x, y, z.
    pub grid: [u32; 3],
    /// Threads per block in x, y, z.
    pub block: [u32; 3],
    /// Dynamic shared memory per block, in bytes.
    pub shared_bytes: u32,
    /// Arguments in the order of the parameters.
    pub args: Vec<Arg>,
}

impl Launch {
    /// A one-dimensional launch without dynamic shared memory.
    ///
    /// # Panics
    /// If there are more blocks than `u32` holds.
    #[must_use]
    pub fn new(
        source: &'static Source,
        entry: &'static str,
        blocks: usize,
        threads: u32,
        args: Vec<Arg>,
    ) -> Self {
        let blocks = u32::try_from(blocks).expect("a grid has fewer than 2^32 blocks");
        Self {
            source,
            entry,
            grid: [blocks, 1, 1],
            block: [threads, 1, 1],
            shared_bytes: 0,
            args,
        }
    }

    /// The same launch with dynamic shared memory.
    #[must_use]
    pub fn with_shared_bytes(self, shared_bytes: u32) -> Self {
        Self {
            shared_bytes,
            ..self
        }
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arg {
    /// The device address of the buffer with this index.
    Buffer(usize),
    /// `unsigned int`.
    U32(u32),
    /// `int`.
    I32(i32),
    /// `float`.
    F32(f32),
    /// `unsigned long long`.
    U64(u64),
}
