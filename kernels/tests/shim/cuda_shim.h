// The part of CUDA C++ that our kernels use, for a host compiler. Threads of a
// block are fibers of the test; whatever waits for other threads calls back.
#pragma once
#include <math.h>
#include <stddef.h>
#include <string.h>

#define SHIM_EXPORT __attribute__((visibility("default")))
#define SHIM_UNCHECKED __attribute__((noinline, no_sanitize("thread")))

struct dim3 {
    unsigned x, y, z;
};

// Where a thread waits and what it hands to the lanes it waits for.
struct ShimWait {
    const char* file;
    unsigned line;
    unsigned kind; // 0 block barrier, 1 warp barrier, 2 exchange
    unsigned mask;
    unsigned long long value;
};

// Filled in by the test: indices before a fiber goes on, the rest at loading.
struct ShimState {
    dim3 thread, block, block_dim, grid_dim;
    unsigned char* dynamic_shared;
    // The memory of an array of this block, the same in every call with a tag.
    void* (*shared)(const void* tag, size_t bytes, size_t element, const char* name);
    // Returns what the 32 lanes of the warp handed over, all ones for lanes
    // outside the mask.
    const unsigned long long* (*wait)(const ShimWait*);
    void (*access)(const void* address, size_t size, int is_write, const void* code);
};
extern "C" {
extern SHIM_EXPORT ShimState shim_state;
ShimState shim_state;
}

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
// What becomes of `__shared__ type name dims;` (the test rewrites the line). A
// tag per instance of a template, as there is an array per instance.
#define SHIM_SHARED(type, name, dims)                                                    \
    typedef type name##_array dims;                                                      \
    static const char name##_tag = 0;                                                    \
    name##_array& name = *static_cast<name##_array*>(                                    \
        shim_state.shared(&name##_tag, sizeof(name##_array), sizeof(type), #name));

#define threadIdx shim_state.thread
#define blockIdx shim_state.block
#define blockDim shim_state.block_dim
#define gridDim shim_state.grid_dim
constexpr int warpSize = 32;

// Memory accesses: the compiler calls these before each one. The hooks are
// those of the race detector: those of the address sanitizer leave out a write
// after a read of the same address.
#define SHIM_CHECK(name, size, is_write)                                              \
    extern "C" SHIM_UNCHECKED void __tsan_##name(const void* address) {               \
        shim_state.access(address, size, is_write, __builtin_return_address(0));      \
    }
#define SHIM_CHECKS(size)                            \
    SHIM_CHECK(read##size, size, 0)                  \
    SHIM_CHECK(write##size, size, 1)                 \
    SHIM_CHECK(unaligned_read##size, size, 0)        \
    SHIM_CHECK(unaligned_write##size, size, 1)
SHIM_CHECKS(1)
SHIM_CHECKS(2)
SHIM_CHECKS(4)
SHIM_CHECKS(8)
SHIM_CHECKS(16)
extern "C" SHIM_UNCHECKED void __tsan_read_range(const void* address, size_t size) {
    shim_state.access(address, size, 0, __builtin_return_address(0));
}
extern "C" SHIM_UNCHECKED void __tsan_write_range(const void* address, size_t size) {
    shim_state.access(address, size, 1, __builtin_return_address(0));
}
extern "C" SHIM_UNCHECKED void __tsan_init() {}
extern "C" SHIM_UNCHECKED void __tsan_func_entry(void*) {}
extern "C" SHIM_UNCHECKED void __tsan_func_exit() {}

// Bounds of the memory that is neither a buffer nor a stack.
extern "C" {
__attribute__((visibility("hidden"))) extern const char __ehdr_start[];
__attribute__((visibility("hidden"))) extern const char _end[];
SHIM_EXPORT SHIM_UNCHECKED void shim_bounds(const void** bounds) {
    bounds[0] = __ehdr_start;
    bounds[1] = _end;
}
}

inline const unsigned long long* shim_wait(const char* file, unsigned line, unsigned kind, unsigned mask,
                                           unsigned long long value) {
    const ShimWait wait = {file, line, kind, mask, value};
    return shim_state.wait(&wait);
}

inline unsigned shim_lane() {
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32;
}

#define __syncthreads() ((void)shim_wait(__FILE__, __LINE__, 0, 0, 0))
inline void shim_syncwarp(const char* file, unsigned line, unsigned mask = 0xFFFFFFFFu) {
    shim_wait(file, line, 1, mask, 0);
}
#define __syncwarp(...) shim_syncwarp(__FILE__, __LINE__, ##__VA_ARGS__)

template <typename T>
unsigned long long shim_pack(T value) {
    static_assert(sizeof(T) <= 8, "lanes exchange up to eight bytes");
    unsigned long long bits = 0;
    memcpy(&bits, &value, sizeof(T));
    return bits;
}

template <typename T>
T shim_unpack(unsigned long long bits) {
    T value;
    memcpy(&value, &bits, sizeof(T));
    return value;
}

// `source` is the lane to read from; outside [first, last) a lane keeps its own.
template <typename T>
T shim_shuffle(const char* file, unsigned line, unsigned mask, T value, int source, int first, int last) {
    const unsigned long long* lanes = shim_wait(file, line, 2, mask, shim_pack(value));
    return source >= first && source < last ? shim_unpack<T>(lanes[source]) : value;
}

inline int shim_segment(int width) { return (int)shim_lane() / width * width; }

template <typename T>
T shim_shfl(const char* file, unsigned line, unsigned mask, T value, int source, int width = 32) {
    const int first = shim_segment(width);
    return shim_shuffle(file, line, mask, value, first + (source & (width - 1)), first, first + width);
}
template <typename T>
T shim_shfl_up(const char* file, unsigned line, unsigned mask, T value, unsigned delta, int width = 32) {
    const int first = shim_segment(width);
    return shim_shuffle(file, line, mask, value, (int)shim_lane() - (int)delta, first, first + width);
}
template <typename T>
T shim_shfl_down(const char* file, unsigned line, unsigned mask, T value, unsigned delta, int width = 32) {
    const int first = shim_segment(width);
    return shim_shuffle(file, line, mask, value, (int)shim_lane() + (int)delta, first, first + width);
}
template <typename T>
T shim_shfl_xor(const char* file, unsigned line, unsigned mask, T value, int bits, int width = 32) {
    // Lanes of earlier segments may be read, those of later ones may not.
    return shim_shuffle(file, line, mask, value, (int)shim_lane() ^ bits, 0, shim_segment(width) + width);
}
inline unsigned shim_ballot(const char* file, unsigned line, unsigned mask, int predicate) {
    const unsigned long long* lanes = shim_wait(file, line, 2, mask, predicate != 0);
    unsigned votes = 0;
    for (int lane = 0; lane < 32; ++lane) {
        votes |= (unsigned)(lanes[lane] == 1) << lane;
    }
    return votes & mask;
}
// Lanes that have left count as neither.
inline int shim_all(const char* file, unsigned line, unsigned mask, int predicate) {
    return shim_ballot(file, line, mask, !predicate) == 0;
}
#define __shfl_sync(...) shim_shfl(__FILE__, __LINE__, __VA_ARGS__)
#define __shfl_up_sync(...) shim_shfl_up(__FILE__, __LINE__, __VA_ARGS__)
#define __shfl_down_sync(...) shim_shfl_down(__FILE__, __LINE__, __VA_ARGS__)
#define __shfl_xor_sync(...) shim_shfl_xor(__FILE__, __LINE__, __VA_ARGS__)
#define __ballot_sync(...) shim_ballot(__FILE__, __LINE__, __VA_ARGS__)
#define __any_sync(...) (shim_ballot(__FILE__, __LINE__, __VA_ARGS__) != 0)
#define __all_sync(...) shim_all(__FILE__, __LINE__, __VA_ARGS__)

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

inline unsigned __float_as_uint(float value) { return shim_unpack<unsigned>(shim_pack(value)); }
inline int __float_as_int(float value) { return shim_unpack<int>(shim_pack(value)); }
inline float __uint_as_float(unsigned bits) { return shim_unpack<float>(shim_pack(bits)); }
inline float __int_as_float(int bits) { return shim_unpack<float>(shim_pack(bits)); }

inline int min(int a, int b) { return b < a ? b : a; }
inline int max(int a, int b) { return b > a ? b : a; }
inline unsigned min(unsigned a, unsigned b) { return b < a ? b : a; }
inline unsigned max(unsigned a, unsigned b) { return b > a ? b : a; }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __fdividef(float x, float y) { return x / y; }
// The C library has functions of these names.
inline float shim_expf(float x) { return expf(x); }
inline float shim_logf(float x) { return logf(x); }
#define __expf shim_expf
#define __logf shim_logf
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __clz(int bits) { return bits == 0 ? 32 : __builtin_clz((unsigned)bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
template <typename T>
T __ldg(const T* address) {
    return *address;
}

#include "bf16_shim.h"

// Parameter types as text, and calls through an array of argument addresses.
template <typename T>
struct ShimType {
    static constexpr const char* name = "?";
};
#define SHIM_TYPE(type, text)                      \
    template <>                                    \
    struct ShimType<type> {                        \
        static constexpr const char* name = text;  \
    };
SHIM_TYPE(int, "i32")
SHIM_TYPE(unsigned, "u32")
SHIM_TYPE(float, "f32")
SHIM_TYPE(unsigned long long, "u64")
SHIM_TYPE(float*, "*f32")
SHIM_TYPE(const float*, "*f32")
SHIM_TYPE(unsigned*, "*u32")
SHIM_TYPE(const unsigned*, "*u32")
SHIM_TYPE(__nv_bfloat16*, "*bf16")
SHIM_TYPE(const __nv_bfloat16*, "*bf16")

template <size_t... I>
struct ShimIndices {};
template <size_t N, size_t... I>
struct ShimRange : ShimRange<N - 1, N - 1, I...> {};
template <size_t... I>
struct ShimRange<0, I...> {
    typedef ShimIndices<I...> type;
};

template <typename... P, size_t... I>
SHIM_UNCHECKED void shim_call(void (*kernel)(P...), void** args, ShimIndices<I...>) {
    kernel(*static_cast<P*>(args[I])...);
}
template <typename... P>
SHIM_UNCHECKED void shim_enter(void (*kernel)(P...), void** args) {
    shim_call(kernel, args, typename ShimRange<sizeof...(P)>::type());
}
template <typename... P>
SHIM_UNCHECKED const char* const* shim_types(void (*)(P...)) {
    static const char* const types[] = {ShimType<P>::name..., nullptr};
    return types;
}
#define SHIM_ENTRY(kernel)                                                                          \
    extern "C" SHIM_EXPORT SHIM_UNCHECKED void shim_enter_##kernel(void** args) { shim_enter(kernel, args); }      \
    extern "C" SHIM_EXPORT const char* const* shim_types_##kernel() { return shim_types(kernel); }
