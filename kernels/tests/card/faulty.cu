// What goes wrong on a card, one kernel each. Nothing here runs for ever.

extern "C" __global__ void right(float *out) { out[threadIdx.x] = 1.0f; }

// An address that is not its own.
extern "C" __global__ void out_of_bounds(float *out) { out[(1ull << 40) + threadIdx.x] = 1.0f; }

// Goes on for `seconds`.
extern "C" __global__ void goes_on(float *out, unsigned int seconds) {
    unsigned long long start, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(start));
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (now - start < seconds * 1000000000ull);
    out[threadIdx.x] = 1.0f;
}

// Writes to its input.
extern "C" __global__ void changes_input(float *out, float *x) {
    out[threadIdx.x] = 1.0f;
    x[threadIdx.x] = 2.0f;
}

// Leaves one element unwritten.
extern "C" __global__ void incomplete(float *out) {
    if (threadIdx.x != 5) out[threadIdx.x] = 1.0f;
}

// A KiB of static shared memory beside the dynamic one.
extern "C" __global__ void shared(float *out) {
    extern __shared__ float dynamic[];
    __shared__ float fixed[256];
    fixed[threadIdx.x] = 0.5f;
    dynamic[threadIdx.x] = 0.5f;
    __syncthreads();
    out[threadIdx.x] = fixed[31 - threadIdx.x] + dynamic[31 - threadIdx.x];
}
