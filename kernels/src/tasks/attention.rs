use super::{int, pick, sources};
use crate::bf16;
use crate::cpu::attention::{
    AttentionShape, DecodeAttention, attention_online, attention_two_pass,
};
use crate::task::{Arg, Buffer, Launch, Task, Variant};

/// Threads per block; `THREADS` of `attention.cu`.
const THREADS: u32 = 128;
/// Fewest positions that are worth a block of their own.
const SHORTEST_CHUNK: usize = 256;
/// Most chunks: the merge reads all of them by one block per head.
const MOST_CHUNKS: usize = 64;

const Q: usize = 0;
const KEYS: usize = 1;
const VALUES: usize = 2;
const OUT: usize = 3;
const PARTIAL_VALUES: usize = 4;
const PARTIAL_SUMS: usize = 5;
const SCORES: usize = 6;

/// Attention of one query token over a bf16 cache, with grouped heads.
///
/// | variant | on the GPU | on the host processor |
/// |---|---|---|
/// | `block_per_head` | a block per query head goes through the cache | scores, softmax, values, head by head |
/// | `split_k` | a block per head and chunk of positions, then a merge | blocks of positions with a running softmax, shared by a group of heads |
///
/// # Panics
/// If `head_dim` is neither 64 nor 128, another size is zero or not below
/// 2^31, or `heads` is no multiple of `kv_heads`.
#[must_use]
pub fn attention(shape: AttentionShape, seed: u64) -> Task {
    let AttentionShape {
        heads,
        kv_heads,
        head_dim,
        length,
    } = shape;
    let (block_per_head, split_k) = match head_dim {
        64 => ("attention_block_per_head_64", "attention_split_k_64"),
        128 => ("attention_block_per_head_128", "attention_split_k_128"),
        other => panic!("heads of {other} elements, the kernels know 64 and 128"),
    };
    let kernel = DecodeAttention::<bf16>::new(shape, seed);
    let chunk = length.div_ceil(MOST_CHUNKS).max(SHORTEST_CHUNK);
    let chunks = length.div_ceil(chunk);

    // exp(x) = 2^(x / ln 2): one factor does both.
    let scale_log2 = Arg::F32(shape.scale() * std::f32::consts::LOG2_E);
    let sizes = [int(heads), int(kv_heads), int(length), scale_log2];
    let launch = |entry, outputs: &[usize], rest: &[Arg]| {
        let buffers = [Q, KEYS, VALUES].iter().chain(outputs);
        let mut args: Vec<Arg> = buffers.map(|&buffer| Arg::Buffer(buffer)).collect();
        args.extend(sizes.iter().chain(rest));
        Launch::new(&sources::ATTENTION, entry, heads, THREADS, args)
    };
    let mut split = launch(split_k, &[PARTIAL_VALUES, PARTIAL_SUMS], &[int(chunk)]);
    split.grid[1] = chunks as u32;
    let merge = Launch::new(
        &sources::ATTENTION,
        "attention_merge",
        heads,
        head_dim as u32,
        vec![
            Arg::Buffer(PARTIAL_VALUES),
            Arg::Buffer(PARTIAL_SUMS),
            Arg::Buffer(OUT),
            int(chunks),
        ],
    );

    Task {
        family: "attention_bf16",
        shape: format!("heads={heads} kv_heads={kv_heads} head_dim={head_dim} length={length}"),
        buffers: vec![
            Buffer::input("q", kernel.query().to_vec()),
            Buffer::input("keys", kernel.keys().to_vec()),
            Buffer::input("values", kernel.values().to_vec()),
            Buffer::output("out", vec![0f32; heads * head_dim]),
            Buffer::scratch("partial_values", vec![0f32; heads * chunks * head_dim]),
            Buffer::scratch("partial_sums", vec![0f32; heads * chunks * 2]),
            Buffer::scratch("scores", vec![0f32; length]),
        ],
        output: OUT,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: vec![
            Variant::launches(
                "block_per_head",
                [launch(block_per_head, &[OUT], &[])],
                move |buffers| {
                    let [q, keys, values, scores, out] =
                        pick(buffers, [Q, KEYS, VALUES, SCORES, OUT]);
                    let (q, keys, values) = (q.f32(), keys.bf16(), values.bf16());
                    attention_two_pass(shape, q, keys, values, scores.f32_mut(), out.f32_mut());
                },
            ),
            Variant::launches("split_k", [split, merge], move |buffers| {
                let [q, keys, values, out] = pick(buffers, [Q, KEYS, VALUES, OUT]);
                attention_online(shape, q.f32(), keys.bf16(), values.bf16(), out.f32_mut());
            }),
        ],
    }
}
