// How fast this card computes from registers alone, with the instructions that
// every architecture since sm_80 has.

// 8 chains of f32 multiply-adds per thread.
extern "C" __launch_bounds__(256) __global__ void multiply_add(float *sink, unsigned int rounds, float a,
                                                               float b) {
    float x[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) x[i] = a + static_cast<float>(threadIdx.x + i);
    for (unsigned int round = 0; round < rounds; ++round) {
#pragma unroll
        for (int i = 0; i < 8; ++i) x[i] = fmaf(x[i], a, b);
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += x[i];
    // Never true for what the host gives; the compiler cannot know.
    if (sum == -1.0f) sink[0] = sum;
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
// 4 chains of 16x8x16 products of bf16 per warp, summed in f32.
extern "C" __launch_bounds__(256) __global__ void matrix_product(float *sink, unsigned int rounds,
                                                                 unsigned int a, unsigned int b) {
    float c[4][4] = {};
    for (unsigned int round = 0; round < rounds; ++round) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            asm volatile(
                "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                "{%0, %1, %2, %3}, {%4, %4, %4, %4}, {%5, %5}, {%0, %1, %2, %3};"
                : "+f"(c[i][0]), "+f"(c[i][1]), "+f"(c[i][2]), "+f"(c[i][3])
                : "r"(a), "r"(b));
        }
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 4; ++i) sum += c[i][0] + c[i][1] + c[i][2] + c[i][3];
    if (sum == -1.0f) sink[0] = sum;
}
#endif
