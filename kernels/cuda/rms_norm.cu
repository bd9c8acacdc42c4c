// RMSNorm of every row: y = x * weight / sqrt(mean(x^2) + epsilon), f32.
// One block per row.

#include "reduce.cuh"

// Sums the squares by a tree in shared memory: `blockDim.x` floats, a power of
// two.
extern "C" __global__ void rms_norm_tree(
    const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ out,
    unsigned hidden, float epsilon) {
    extern __shared__ float sums[];
    x += static_cast<size_t>(blockIdx.x) * hidden;
    out += static_cast<size_t>(blockIdx.x) * hidden;

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

    const float inverse = 1.0f / sqrtf(sums[0] / hidden + epsilon);
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        out[i] = x[i] * inverse * weight[i];
    }
}

// Sums the squares by warp shuffles.
extern "C" __global__ void rms_norm_shuffle(
    const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ out,
    unsigned hidden, float epsilon) {
    __shared__ float partial[WARP];
    x += static_cast<size_t>(blockIdx.x) * hidden;
    out += static_cast<size_t>(blockIdx.x) * hidden;

    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        squares += x[i] * x[i];
    }
    const float inverse = 1.0f / sqrtf(block_sum(squares, partial) / hidden + epsilon);
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        out[i] = x[i] * inverse * weight[i];
    }
}
