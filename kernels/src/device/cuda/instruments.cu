// What the measuring itself runs on the card. Not a kernel of a task: it reads
// special registers and is never run anywhere else.

// Time and clock of multiprocessor 0, which is the same one in every launch.
extern "C" __global__ void read_clock(unsigned long long *time_and_clock) {
    unsigned int multiprocessor;
    asm volatile("mov.u32 %0, %%smid;" : "=r"(multiprocessor));
    if (multiprocessor != 0) return;
    unsigned long long time;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(time));
    time_and_clock[0] = time;
    time_and_clock[1] = clock64();
}

// Nothing: what a pair of events costs around it is the floor.
extern "C" __global__ void empty() {}

// Runs for about this many cycles.
extern "C" __global__ void spin(unsigned int cycles) {
    const long long start = clock64();
    while (clock64() - start < cycles) {
    }
}

// Holds the stream back until the host writes 1, or for `limit` nanoseconds.
extern "C" __global__ void hold(const volatile unsigned int *word, unsigned long long limit) {
    unsigned long long start, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(start));
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (*word == 0 && now - start < limit);
}

// Reads `count` times 16 bytes of zeros, which takes the place of other lines.
extern "C" __global__ void read_all(uint4 *data, unsigned long long count) {
    const unsigned long long stride = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
    unsigned int found = 0;
    for (unsigned long long k = blockIdx.x * blockDim.x + threadIdx.x; k < count; k += stride) {
        const uint4 four = data[k];
        found |= four.x | four.y | four.z | four.w;
    }
    // Never true; the compiler cannot know.
    if (found) data[0].x = found;
}
