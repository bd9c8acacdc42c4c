// Dot product of a stored row with an f32 vector, by one warp.
// Needs reduce.cuh and vectors.cuh.

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
