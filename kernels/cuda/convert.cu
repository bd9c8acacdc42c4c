// Conversion between f32 and bf16; narrowing rounds to nearest, ties to even.

#include "vectors.cuh"

constexpr unsigned WIDTH = 8; // elements per thread of the vector kernels

// One element per thread.
extern "C" __global__ void f32_to_bf16_plain(const float* __restrict__ x, __nv_bfloat16* __restrict__ out,
                                             unsigned count) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) {
        narrow(x[i], out[i]);
    }
}

extern "C" __global__ void bf16_to_f32_plain(const __nv_bfloat16* __restrict__ x, float* __restrict__ out,
                                             unsigned count) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) {
        out[i] = widen(x[i]);
    }
}

// Eight elements per thread, 16 bytes per access; the last thread takes what is
// left element by element.
extern "C" __global__ void f32_to_bf16_vector(const float* __restrict__ x, __nv_bfloat16* __restrict__ out,
                                              unsigned count) {
    const unsigned first = WIDTH * (blockIdx.x * blockDim.x + threadIdx.x);
    if (first + WIDTH <= count) {
        float values[WIDTH];
        float half[WIDTH / 2];
        load_vector(x + first, half);
#pragma unroll
        for (unsigned k = 0; k < WIDTH / 2; ++k) {
            values[k] = half[k];
        }
        load_vector(x + first + WIDTH / 2, half);
#pragma unroll
        for (unsigned k = 0; k < WIDTH / 2; ++k) {
            values[WIDTH / 2 + k] = half[k];
        }
        store_vector(values, out + first);
    } else {
        for (unsigned i = first; i < count; ++i) {
            narrow(x[i], out[i]);
        }
    }
}

extern "C" __global__ void bf16_to_f32_vector(const __nv_bfloat16* __restrict__ x, float* __restrict__ out,
                                              unsigned count) {
    const unsigned first = WIDTH * (blockIdx.x * blockDim.x + threadIdx.x);
    if (first + WIDTH <= count) {
        float values[WIDTH];
        load_vector(x + first, values);
        const float low[4] = {values[0], values[1], values[2], values[3]};
        const float high[4] = {values[4], values[5], values[6], values[7]};
        store_vector(low, out + first);
        store_vector(high, out + first + WIDTH / 2);
    } else {
        for (unsigned i = first; i < count; ++i) {
            out[i] = widen(x[i]);
        }
    }
}
