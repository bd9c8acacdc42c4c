// Softmax of every row of cols elements, stored in f32 or bf16, computed in
// f32. One block per row.

#include "reduce.cuh"
#include "vectors.cuh"

constexpr float LOWEST = -3.402823466e38f; // not -inf: -inf - -inf is NaN

// Three sweeps: maximum, sum, output. Reductions by a tree in shared memory,
// `blockDim.x` floats, a power of two.
template <typename T>
__device__ __forceinline__ void three_pass(const T* __restrict__ x, T* __restrict__ out, unsigned cols,
                                           float* shared) {
    x += (size_t)blockIdx.x * cols;
    out += (size_t)blockIdx.x * cols;

    float max = LOWEST;
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        max = fmaxf(max, widen(x[i]));
    }
    shared[threadIdx.x] = max;
    __syncthreads();
    for (unsigned width = blockDim.x / 2; width > 0; width /= 2) {
        if (threadIdx.x < width) {
            shared[threadIdx.x] = fmaxf(shared[threadIdx.x], shared[threadIdx.x + width]);
        }
        __syncthreads();
    }
    max = shared[0];
    __syncthreads(); // before the sums overwrite it

    float sum = 0.0f;
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        sum += expf(widen(x[i]) - max);
    }
    shared[threadIdx.x] = sum;
    __syncthreads();
    for (unsigned width = blockDim.x / 2; width > 0; width /= 2) {
        if (threadIdx.x < width) {
            shared[threadIdx.x] += shared[threadIdx.x + width];
        }
        __syncthreads();
    }

    const float inverse = 1.0f / shared[0];
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        narrow(expf(widen(x[i]) - max) * inverse, out[i]);
    }
}

// The same sweeps, reductions by warp shuffles.
template <typename T>
__device__ __forceinline__ void warp_shuffle(const T* __restrict__ x, T* __restrict__ out, unsigned cols) {
    __shared__ float partial[WARP];
    x += (size_t)blockIdx.x * cols;
    out += (size_t)blockIdx.x * cols;

    float max = LOWEST;
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        max = fmaxf(max, widen(x[i]));
    }
    max = block_max(max, LOWEST, partial);
    float sum = 0.0f;
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        sum += expf(widen(x[i]) - max);
    }
    const float inverse = 1.0f / block_sum(sum, partial);
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        narrow(expf(widen(x[i]) - max) * inverse, out[i]);
    }
}

// Maximum, and sum of exponentials relative to it (Milakov and Gimelshein,
// arXiv:1805.02867).
struct Normaliser {
    float max;
    float sum;
};

__device__ __forceinline__ void include(Normaliser& all, float x) {
    if (x <= all.max) {
        all.sum += expf(x - all.max);
    } else {
        all.sum = all.sum * expf(all.max - x) + 1.0f;
        all.max = x;
    }
}

__device__ __forceinline__ Normaliser merge(Normaliser a, Normaliser b) {
    const float max = fmaxf(a.max, b.max);
    return Normaliser{max, a.sum * expf(a.max - max) + b.sum * expf(b.max - max)};
}

__device__ __forceinline__ Normaliser warp_merge(Normaliser all) {
    for (int offset = WARP / 2; offset > 0; offset /= 2) {
        const float max = __shfl_xor_sync(ALL_LANES, all.max, offset);
        const float sum = __shfl_xor_sync(ALL_LANES, all.sum, offset);
        all = merge(all, Normaliser{max, sum});
    }
    return all;
}

__device__ __forceinline__ Normaliser block_merge(Normaliser all) {
    __shared__ Normaliser partial[WARP];
    const int lane = threadIdx.x % WARP;
    all = warp_merge(all);
    if (lane == 0) {
        partial[threadIdx.x / WARP] = all;
    }
    __syncthreads();
    all = lane < (int)blockDim.x / WARP ? partial[lane] : Normaliser{LOWEST, 0.0f};
    return warp_merge(all);
}

// Two sweeps: running maximum and sum, output.
template <typename T>
__device__ __forceinline__ void online(const T* __restrict__ x, T* __restrict__ out, unsigned cols) {
    x += (size_t)blockIdx.x * cols;
    out += (size_t)blockIdx.x * cols;

    Normaliser all = {LOWEST, 0.0f};
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        include(all, widen(x[i]));
    }
    all = block_merge(all);
    const float inverse = 1.0f / all.sum;
    for (unsigned i = threadIdx.x; i < cols; i += blockDim.x) {
        narrow(expf(widen(x[i]) - all.max) * inverse, out[i]);
    }
}

// The same, 16 bytes per access: cols is a multiple of VECTOR<T>. One
// correction of the sum per load instead of one per new maximum.
template <typename T>
__device__ __forceinline__ void online_vector(const T* __restrict__ x, T* __restrict__ out, unsigned cols) {
    constexpr int WIDTH = VECTOR<T>;
    x += (size_t)blockIdx.x * cols;
    out += (size_t)blockIdx.x * cols;

    Normaliser all = {LOWEST, 0.0f};
    for (unsigned i = WIDTH * threadIdx.x; i < cols; i += WIDTH * blockDim.x) {
        float values[WIDTH];
        load_vector(x + i, values);
        float max = all.max;
#pragma unroll
        for (int k = 0; k < WIDTH; ++k) {
            max = fmaxf(max, values[k]);
        }
        all.sum *= expf(all.max - max);
        all.max = max;
#pragma unroll
        for (int k = 0; k < WIDTH; ++k) {
            all.sum += expf(values[k] - max);
        }
    }
    all = block_merge(all);
    const float inverse = 1.0f / all.sum;
    for (unsigned i = WIDTH * threadIdx.x; i < cols; i += WIDTH * blockDim.x) {
        float values[WIDTH];
        load_vector(x + i, values);
#pragma unroll
        for (int k = 0; k < WIDTH; ++k) {
            values[k] = expf(values[k] - all.max) * inverse;
        }
        store_vector(values, out + i);
    }
}

extern "C" __global__ void softmax_three_pass_f32(const float* __restrict__ x, float* __restrict__ out,
                                                  unsigned cols) {
    extern __shared__ float shared[];
    three_pass(x, out, cols, shared);
}

extern "C" __global__ void softmax_warp_shuffle_f32(const float* __restrict__ x, float* __restrict__ out,
                                                    unsigned cols) {
    warp_shuffle(x, out, cols);
}

extern "C" __global__ void softmax_online_f32(const float* __restrict__ x, float* __restrict__ out,
                                              unsigned cols) {
    online(x, out, cols);
}

extern "C" __global__ void softmax_online_vector_f32(const float* __restrict__ x, float* __restrict__ out,
                                                     unsigned cols) {
    online_vector(x, out, cols);
}

extern "C" __global__ void softmax_three_pass_bf16(const __nv_bfloat16* __restrict__ x,
                                                   __nv_bfloat16* __restrict__ out, unsigned cols) {
    extern __shared__ float shared[];
    three_pass(x, out, cols, shared);
}

extern "C" __global__ void softmax_warp_shuffle_bf16(const __nv_bfloat16* __restrict__ x,
                                                     __nv_bfloat16* __restrict__ out, unsigned cols) {
    warp_shuffle(x, out, cols);
}

extern "C" __global__ void softmax_online_bf16(const __nv_bfloat16* __restrict__ x,
                                               __nv_bfloat16* __restrict__ out, unsigned cols) {
    online(x, out, cols);
}

extern "C" __global__ void softmax_online_vector_bf16(const __nv_bfloat16* __restrict__ x,
                                                      __nv_bfloat16* __restrict__ out, unsigned cols) {
    online_vector(x, out, cols);
}
