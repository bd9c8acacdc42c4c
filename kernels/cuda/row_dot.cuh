// Dot product of a stored row with an f32 vector, by one warp.

#include <cuda_bf16.h>

// Eight bf16 as one 16-byte load brings them, two per word, the lower first.
__device__ __forceinline__ void widen_bf16x8(uint4 packed, float (&wide)[8]) {
    const unsigned int words[4] = {packed.x, packed.y, packed.z, packed.w};
#pragma unroll
    for (int word = 0; word < 4; ++word) {
        wide[2 * word] = __uint_as_float(words[word] << 16);
        wide[2 * word + 1] = __uint_as_float(words[word] & 0xffff0000u);
    }
}

__device__ __forceinline__ float widen(float value) { return value; }
__device__ __forceinline__ float widen(__nv_bfloat16 value) { return __bfloat162float(value); }

// The elements of one 16-byte load.
template <typename T>
constexpr int VECTOR = 16 / (int)sizeof(T);

__device__ __forceinline__ void load_vector(const float* from, float (&to)[4]) {
    const float4 packed = *reinterpret_cast<const float4*>(from);
    to[0] = packed.x;
    to[1] = packed.y;
    to[2] = packed.z;
    to[3] = packed.w;
}

__device__ __forceinline__ void load_vector(const __nv_bfloat16* from, float (&to)[8]) {
    widen_bf16x8(*reinterpret_cast<const uint4*>(from), to);
}

// This lane's share of `row . x`; the sum over the warp is the product. All
// lanes of the warp must call it.
template <typename T>
__device__ __forceinline__ float row_dot_share(const T* __restrict__ row, const float* __restrict__ x,
                                               int cols, int lane) {
    constexpr int WIDTH = VECTOR<T>;
    float sum = 0.0f;
    if (cols % WIDTH != 0) {
        // Not every row starts at a multiple of 16 bytes.
        for (int col = lane; col < cols; col += 32) {
            sum += widen(row[col]) * x[col];
        }
        return sum;
    }
#pragma unroll 4
    for (int col = WIDTH * lane; col < cols; col += 32 * WIDTH) {
        float weights[WIDTH];
        load_vector(row + col, weights);
#pragma unroll
        for (int part = 0; part < WIDTH; part += 4) {
            float inputs[4];
            load_vector(x + col + part, inputs);
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                sum += weights[part + i] * inputs[i];
            }
        }
    }
    return sum;
}

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, offset);
    }
    return value;
}

// `out[row] = w[row] . x`, one warp per row. The grid covers all rows; the
// block is whole warps.
template <typename T>
__device__ __forceinline__ void project_rows(const T* __restrict__ w, const float* __restrict__ x,
                                             float* __restrict__ out, int rows, int cols) {
    const int row = (int)((blockIdx.x * blockDim.x + threadIdx.x) / 32);
    const int lane = (int)(threadIdx.x % 32);
    if (row >= rows) {
        return; // the whole warp: nobody waits for it
    }
    const float sum = warp_sum(row_dot_share(w + (size_t)row * cols, x, cols, lane));
    if (lane == 0) {
        out[row] = sum;
    }
}
