// Reductions over a warp and over a block. Blocks are one-dimensional and
// whole warps; every thread of the block takes part.

constexpr unsigned ALL_LANES = 0xFFFFFFFFu;
constexpr int WARP = 32;

__device__ __forceinline__ float warp_sum(float value) {
    for (int offset = WARP / 2; offset > 0; offset /= 2) {
        value += __shfl_xor_sync(ALL_LANES, value, offset);
    }
    return value;
}

__device__ __forceinline__ float warp_max(float value) {
    for (int offset = WARP / 2; offset > 0; offset /= 2) {
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, offset));
    }
    return value;
}

// The sum in every thread. `partial` is shared memory, one element per warp.
__device__ __forceinline__ float block_sum(float value, float* partial) {
    const int lane = threadIdx.x % WARP;
    value = warp_sum(value);
    if (lane == 0) {
        partial[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    value = lane < static_cast<int>(blockDim.x) / WARP ? partial[lane] : 0.0f;
    value = warp_sum(value);
    __syncthreads();  // `partial` may be used again
    return value;
}

// The maximum in every thread, at least `floor`.
__device__ __forceinline__ float block_max(float value, float floor, float* partial) {
    const int lane = threadIdx.x % WARP;
    value = warp_max(value);
    if (lane == 0) {
        partial[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    value = lane < static_cast<int>(blockDim.x) / WARP ? partial[lane] : floor;
    value = warp_max(value);
    __syncthreads();
    return value;
}
