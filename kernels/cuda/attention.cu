// Decode attention: one query token against a cache of keys and values, with
// grouped heads. q and out are [heads, HEAD_DIM] in f32; keys and values are
// [length, kv_heads, HEAD_DIM] in bf16, so that a new token appends.

#include "vectors.cuh"

constexpr int THREADS = 128;
constexpr float LOWEST = -3.402823466e38f; // not -inf: -inf - -inf is NaN

// What a block makes of positions [first, last): element `dim` of the sum of
// 2^(score - max) * value is with thread `dim`, the others are with all.
struct Attended {
    float max;
    float sum;
    float value;
};

// A row takes HEAD_DIM / 8 lanes, and the block holds THREADS / LANES such groups.
template <int HEAD_DIM>
struct Groups {
    static constexpr int LANES = HEAD_DIM / 8;
    static constexpr int COUNT = THREADS / LANES;
    static_assert(LANES <= 32 && HEAD_DIM <= THREADS, "a row fits a warp, a head fits the block");
    float max[COUNT];
    float sum[COUNT];
    float values[COUNT][HEAD_DIM];
};

// Every lane loads 16 bytes of a row, so that the block reads as many rows at a
// time as it has groups; every group keeps an online softmax (Milakov and
// Gimelshein, arXiv:1805.02867) of its own. Scores are in units of ln 2, which
// makes the exponential the one the hardware has. `groups` is shared memory.
template <int HEAD_DIM>
__device__ Attended attend(const float* __restrict__ q, const __nv_bfloat16* __restrict__ keys,
                           const __nv_bfloat16* __restrict__ values, int heads, int kv_heads, int head,
                           float scale_log2, int first, int last, Groups<HEAD_DIM>& groups) {
    constexpr int LANES = Groups<HEAD_DIM>::LANES;
    constexpr int COUNT = Groups<HEAD_DIM>::COUNT;

    const int group = (int)threadIdx.x / LANES;
    const int dim = (int)threadIdx.x % LANES * 8;
    const int kv_head = head / (heads / kv_heads);

    float query[8];
    float weighted[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        query[i] = q[head * HEAD_DIM + dim + i] * scale_log2;
        weighted[i] = 0.0f;
    }
    float max = LOWEST;
    float sum = 0.0f;
    // All lanes of a warp stay in the loop together: the shuffles need them.
    for (int start = first; start < last; start += COUNT) {
        const int position = start + group;
        const bool inside = position < last;
        const size_t row = ((size_t)position * kv_heads + kv_head) * HEAD_DIM + dim;
        float key[8] = {};
        float value[8] = {};
        if (inside) {
            load_vector(keys + row, key);
            load_vector(values + row, value);
        }
        float score = 0.0f;
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            score += query[i] * key[i];
        }
#pragma unroll
        for (int offset = LANES / 2; offset > 0; offset /= 2) {
            score += __shfl_xor_sync(0xffffffffu, score, offset);
        }
        if (inside) {
            const float larger = fmaxf(max, score);
            const float keep = exp2f(max - larger);
            const float weight = exp2f(score - larger);
            max = larger;
            sum = sum * keep + weight;
#pragma unroll
            for (int i = 0; i < 8; ++i) {
                weighted[i] = weighted[i] * keep + weight * value[i];
            }
        }
    }

    if (dim == 0) {
        groups.max[group] = max;
        groups.sum[group] = sum;
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        groups.values[group][dim + i] = weighted[i];
    }
    __syncthreads();

    Attended all = {LOWEST, 0.0f, 0.0f};
    for (int other = 0; other < COUNT; ++other) {
        all.max = fmaxf(all.max, groups.max[other]);
    }
    for (int other = 0; other < COUNT; ++other) {
        const float keep = exp2f(groups.max[other] - all.max);
        all.sum += keep * groups.sum[other];
        if (threadIdx.x < HEAD_DIM) {
            all.value += keep * groups.values[other][threadIdx.x];
        }
    }
    return all;
}

// One block per head goes through the whole cache.
template <int HEAD_DIM>
__device__ void block_per_head(const float* q, const __nv_bfloat16* keys, const __nv_bfloat16* values,
                               float* out, int heads, int kv_heads, int length, float scale_log2,
                               Groups<HEAD_DIM>& groups) {
    const int head = (int)blockIdx.x;
    const Attended all = attend(q, keys, values, heads, kv_heads, head, scale_log2, 0, length, groups);
    if (threadIdx.x < HEAD_DIM) {
        out[head * HEAD_DIM + threadIdx.x] = all.value / all.sum;
    }
}

// Split-K (Flash-Decoding): blockIdx.y takes a chunk of the positions, and
// attention_merge joins them. partial_values is [heads, splits, HEAD_DIM];
// partial_sums is [heads, splits, 2], maximum and sum.
template <int HEAD_DIM>
__device__ void split_k(const float* q, const __nv_bfloat16* keys, const __nv_bfloat16* values,
                        float* partial_values, float* partial_sums, int heads, int kv_heads, int length,
                        float scale_log2, int chunk, Groups<HEAD_DIM>& groups) {
    const int head = (int)blockIdx.x;
    const int first = (int)blockIdx.y * chunk;
    const int last = min(first + chunk, length);
    const Attended part =
        attend(q, keys, values, heads, kv_heads, head, scale_log2, first, last, groups);
    const int slot = head * (int)gridDim.y + (int)blockIdx.y;
    if (threadIdx.x < HEAD_DIM) {
        partial_values[slot * HEAD_DIM + threadIdx.x] = part.value;
    }
    if (threadIdx.x == 0) {
        partial_sums[2 * slot] = part.max;
        partial_sums[2 * slot + 1] = part.sum;
    }
}

// One block per head, one thread per element.
extern "C" __global__ void attention_merge(const float* __restrict__ partial_values,
                                           const float* __restrict__ partial_sums,
                                           float* __restrict__ out, int splits) {
    const int head_dim = (int)blockDim.x;
    const int first = (int)blockIdx.x * splits;
    float max = LOWEST;
    for (int slot = first; slot < first + splits; ++slot) {
        max = fmaxf(max, partial_sums[2 * slot]);
    }
    float sum = 0.0f;
    float value = 0.0f;
    for (int slot = first; slot < first + splits; ++slot) {
        const float keep = exp2f(partial_sums[2 * slot] - max);
        sum += keep * partial_sums[2 * slot + 1];
        value += keep * partial_values[slot * head_dim + (int)threadIdx.x];
    }
    out[(int)blockIdx.x * head_dim + (int)threadIdx.x] = value / sum;
}

extern "C" __global__ void attention_block_per_head_64(const float* __restrict__ q,
                                                       const __nv_bfloat16* __restrict__ keys,
                                                       const __nv_bfloat16* __restrict__ values,
                                                       float* __restrict__ out, int heads, int kv_heads,
                                                       int length, float scale_log2) {
    __shared__ Groups<64> groups;
    block_per_head(q, keys, values, out, heads, kv_heads, length, scale_log2, groups);
}

extern "C" __global__ void attention_block_per_head_128(const float* __restrict__ q,
                                                        const __nv_bfloat16* __restrict__ keys,
                                                        const __nv_bfloat16* __restrict__ values,
                                                        float* __restrict__ out, int heads, int kv_heads,
                                                        int length, float scale_log2) {
    __shared__ Groups<128> groups;
    block_per_head(q, keys, values, out, heads, kv_heads, length, scale_log2, groups);
}

extern "C" __global__ void attention_split_k_64(const float* __restrict__ q,
                                                const __nv_bfloat16* __restrict__ keys,
                                                const __nv_bfloat16* __restrict__ values,
                                                float* __restrict__ partial_values,
                                                float* __restrict__ partial_sums, int heads, int kv_heads,
                                                int length, float scale_log2, int chunk) {
    __shared__ Groups<64> groups;
    split_k(q, keys, values, partial_values, partial_sums, heads, kv_heads, length, scale_log2, chunk,
            groups);
}

extern "C" __global__ void attention_split_k_128(const float* __restrict__ q,
                                                 const __nv_bfloat16* __restrict__ keys,
                                                 const __nv_bfloat16* __restrict__ values,
                                                 float* __restrict__ partial_values,
                                                 float* __restrict__ partial_sums, int heads, int kv_heads,
                                                 int length, float scale_log2, int chunk) {
    __shared__ Groups<128> groups;
    split_k(q, keys, values, partial_values, partial_sums, heads, kv_heads, length, scale_log2, chunk,
            groups);
}
