// The two projections that open a gated feed-forward block: gate = Wg x and
// up = Wu x, both rows by cols. out holds gate, then up.

#include "reduce.cuh"
#include "vectors.cuh"
#include "row_dot.cuh"

// One of the two: out[first_row..] = W x.
template <typename T>
__device__ __forceinline__ void project(const T* w, const float* x, float* out, int rows, int cols,
                                        int first_row) {
    project_rows(w, x, out + first_row, rows, cols);
}

// Both in one launch: blockIdx.y chooses the matrix, so that the tail of one
// fills the same wave as the head of the other.
template <typename T>
__device__ __forceinline__ void project_batched(const T* gate, const T* up, const float* x, float* out,
                                                int rows, int cols) {
    project_rows(blockIdx.y == 0 ? gate : up, x, out + (size_t)blockIdx.y * rows, rows, cols);
}

extern "C" __global__ void ffn_project_f32(const float* __restrict__ w, const float* __restrict__ x,
                                           float* __restrict__ out, int rows, int cols, int first_row) {
    project(w, x, out, rows, cols, first_row);
}

extern "C" __global__ void ffn_project_bf16(const __nv_bfloat16* __restrict__ w,
                                            const float* __restrict__ x, float* __restrict__ out, int rows,
                                            int cols, int first_row) {
    project(w, x, out, rows, cols, first_row);
}

extern "C" __global__ void ffn_project_batched_f32(const float* __restrict__ gate,
                                                   const float* __restrict__ up,
                                                   const float* __restrict__ x, float* __restrict__ out,
                                                   int rows, int cols) {
    project_batched(gate, up, x, out, rows, cols);
}

extern "C" __global__ void ffn_project_batched_bf16(const __nv_bfloat16* __restrict__ gate,
                                                    const __nv_bfloat16* __restrict__ up,
                                                    const float* __restrict__ x, float* __restrict__ out,
                                                    int rows, int cols) {
    project_batched(gate, up, x, out, rows, cols);
}
