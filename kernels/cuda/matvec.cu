// Matrix-vector product of decode: out = W x. W is row-major, rows by cols, in
// bf16; x and out are f32, and so is all arithmetic.

#include "reduce.cuh"
#include "vectors.cuh"
#include "row_dot.cuh"

// One thread per row: no cooperation, but neighbouring threads read addresses
// a whole row apart.
extern "C" __global__ void matvec_bf16_thread_per_row(const __nv_bfloat16* __restrict__ w,
                                                      const float* __restrict__ x,
                                                      float* __restrict__ out, int rows, int cols) {
    const int row = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (row >= rows) {
        return;
    }
    float sum = 0.0f;
    for (int col = 0; col < cols; ++col) {
        sum += widen(w[(size_t)row * cols + col]) * x[col];
    }
    out[row] = sum;
}

// One warp per row, 16 bytes per lane and load.
extern "C" __global__ void matvec_bf16_warp_per_row(const __nv_bfloat16* __restrict__ w,
                                                    const float* __restrict__ x,
                                                    float* __restrict__ out, int rows, int cols) {
    project_rows(w, x, out, rows, cols);
}
