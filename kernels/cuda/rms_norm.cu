// RMSNorm of every row: out = x * weight / sqrt(mean(x^2) + epsilon), stored in
// f32 or bf16, computed in f32. One block per row.

#include "reduce.cuh"
#include "vectors.cuh"

__device__ __forceinline__ float inverse_rms(float squares, unsigned hidden, float epsilon) {
    return 1.0f / sqrtf(squares / (float)hidden + epsilon);
}

// Sums the squares by warp shuffles.
template <typename T>
__device__ __forceinline__ void norm_shuffle(const T* __restrict__ x, const T* __restrict__ weight,
                                             T* __restrict__ out, unsigned hidden, float epsilon) {
    __shared__ float partial[WARP];
    x += (size_t)blockIdx.x * hidden;
    out += (size_t)blockIdx.x * hidden;

    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        const float value = widen(x[i]);
        squares += value * value;
    }
    const float inverse = inverse_rms(block_sum(squares, partial), hidden, epsilon);
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        narrow(widen(x[i]) * inverse * widen(weight[i]), out[i]);
    }
}

// The same, 16 bytes per access: hidden is a multiple of VECTOR<T>.
template <typename T>
__device__ __forceinline__ void norm_vector(const T* __restrict__ x, const T* __restrict__ weight,
                                            T* __restrict__ out, unsigned hidden, float epsilon) {
    constexpr int WIDTH = VECTOR<T>;
    __shared__ float partial[WARP];
    x += (size_t)blockIdx.x * hidden;
    out += (size_t)blockIdx.x * hidden;

    float squares = 0.0f;
    for (unsigned i = WIDTH * threadIdx.x; i < hidden; i += WIDTH * blockDim.x) {
        float values[WIDTH];
        load_vector(x + i, values);
#pragma unroll
        for (int k = 0; k < WIDTH; ++k) {
            squares += values[k] * values[k];
        }
    }
    const float inverse = inverse_rms(block_sum(squares, partial), hidden, epsilon);
    for (unsigned i = WIDTH * threadIdx.x; i < hidden; i += WIDTH * blockDim.x) {
        float values[WIDTH];
        float weights[WIDTH];
        load_vector(x + i, values);
        load_vector(weight + i, weights);
#pragma unroll
        for (int k = 0; k < WIDTH; ++k) {
            values[k] *= inverse * weights[k];
        }
        store_vector(values, out + i);
    }
}

// Sums the squares by a tree in shared memory: `blockDim.x` floats, a power of
// two.
extern "C" __global__ void rms_norm_tree_f32(const float* __restrict__ x, const float* __restrict__ weight,
                                             float* __restrict__ out, unsigned hidden, float epsilon) {
    extern __shared__ float sums[];
    x += (size_t)blockIdx.x * hidden;
    out += (size_t)blockIdx.x * hidden;

    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        squares += x[i] * x[i];
    }
    sums[threadIdx.x] = squares;
    __syncthreads();
    for (unsigned width = blockDim.x / 2; width > 0; width /= 2) {
        if (threadIdx.x < width) {
            sums[threadIdx.x] += sums[threadIdx.x + width];
        }
        __syncthreads();
    }

    const float inverse = inverse_rms(sums[0], hidden, epsilon);
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        out[i] = x[i] * inverse * weight[i];
    }
}

extern "C" __global__ void rms_norm_shuffle_f32(const float* __restrict__ x,
                                                const float* __restrict__ weight, float* __restrict__ out,
                                                unsigned hidden, float epsilon) {
    norm_shuffle(x, weight, out, hidden, epsilon);
}

extern "C" __global__ void rms_norm_vector_f32(const float* __restrict__ x, const float* __restrict__ weight,
                                               float* __restrict__ out, unsigned hidden, float epsilon) {
    norm_vector(x, weight, out, hidden, epsilon);
}

extern "C" __global__ void rms_norm_shuffle_bf16(const __nv_bfloat16* __restrict__ x,
                                                 const __nv_bfloat16* __restrict__ weight,
                                                 __nv_bfloat16* __restrict__ out, unsigned hidden,
                                                 float epsilon) {
    norm_shuffle(x, weight, out, hidden, epsilon);
}

extern "C" __global__ void rms_norm_vector_bf16(const __nv_bfloat16* __restrict__ x,
                                                const __nv_bfloat16* __restrict__ weight,
                                                __nv_bfloat16* __restrict__ out, unsigned hidden,
                                                float epsilon) {
    norm_vector(x, weight, out, hidden, epsilon);
}
