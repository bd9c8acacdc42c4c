// Loads of 16 bytes and the values in them, as f32.

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

__device__ __forceinline__ void narrow(float value, float& to) { to = value; }
__device__ __forceinline__ void narrow(float value, __nv_bfloat16& to) { to = __float2bfloat16_rn(value); }

__device__ __forceinline__ void store_vector(const float (&from)[4], float* to) {
    *reinterpret_cast<float4*>(to) = make_float4(from[0], from[1], from[2], from[3]);
}

__device__ __forceinline__ void store_vector(const float (&from)[8], __nv_bfloat16* to) {
    unsigned words[4];
#pragma unroll
    for (int word = 0; word < 4; ++word) {
        const __nv_bfloat162 pair = __floats2bfloat162_rn(from[2 * word], from[2 * word + 1]);
        words[word] = *reinterpret_cast<const unsigned*>(&pair);
    }
    *reinterpret_cast<uint4*>(to) = make_uint4(words[0], words[1], words[2], words[3]);
}
