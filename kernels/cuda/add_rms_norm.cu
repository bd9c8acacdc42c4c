// The residual addition and the RMSNorm after it, f32. `out` holds the sums,
// rows by hidden, then their norms.

#include "reduce.cuh"

// Unfused, first: the sums. One thread per element.
extern "C" __global__ void add_residual(const float* __restrict__ x, const float* __restrict__ residual,
                                        float* __restrict__ out, unsigned count) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) {
        out[i] = x[i] + residual[i];
    }
}

__device__ __forceinline__ void norm_of_sums(const float* sums, const float* weight, float* norms,
                                             unsigned hidden, float epsilon, float squares) {
    __shared__ float partial[WARP];
    const float inverse = 1.0f / sqrtf(block_sum(squares, partial) / (float)hidden + epsilon);
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        norms[i] = sums[i] * inverse * weight[i];
    }
}

// Unfused, second: the norms. One block per row.
extern "C" __global__ void norm_after_add(const float* __restrict__ weight, float* out, unsigned rows,
                                          unsigned hidden, float epsilon) {
    const float* sums = out + (size_t)blockIdx.x * hidden;
    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        squares += sums[i] * sums[i];
    }
    norm_of_sums(sums, weight, out + ((size_t)rows + blockIdx.x) * hidden, hidden, epsilon, squares);
}

// Both in one launch: the sums are squared while they are in registers. One
// block per row.
extern "C" __global__ void add_rms_norm(const float* __restrict__ x, const float* __restrict__ residual,
                                        const float* __restrict__ weight, float* out, unsigned rows,
                                        unsigned hidden, float epsilon) {
    const size_t first = (size_t)blockIdx.x * hidden;
    float* sums = out + first;
    float squares = 0.0f;
    for (unsigned i = threadIdx.x; i < hidden; i += blockDim.x) {
        const float sum = x[first + i] + residual[first + i];
        sums[i] = sum;
        squares += sum * sum;
    }
    // Every thread reads back only what it wrote.
    norm_of_sums(sums, weight, out + ((size_t)rows + blockIdx.x) * hidden, hidden, epsilon, squares);
}
