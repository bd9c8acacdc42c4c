/* A driver without a card. Functions that are not written here are added by
   the test; they succeed and do nothing. FAKE_... variables choose faults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long address;
/* A fault that is asked for; where FAKE_SWITCH names a file, only once it is there. */
static int fault(const char *name) {
    const char *code = getenv(name), *file = getenv("FAKE_SWITCH");
    return code && (!file || !access(file, F_OK)) ? atoi(code) : 0;
}
static char handle[64];
/* A call that is told to a test that asks, and fails where it asks. */
static int call(const char *name) {
    char variable[96];
    if (getenv("FAKE_TELL")) fprintf(stderr, "CALL %s\n", name);
    snprintf(variable, sizeof variable, "FAKE_%s", name);
    return fault(variable);
}
/* The word that holds the stream back. */
static volatile unsigned *held;
int cuStreamWaitValue32_v2(void *stream, address at, unsigned value, unsigned flags) {
    (void)stream; (void)value; (void)flags;
    held = (volatile unsigned *)(size_t)at;
    return call("cuStreamWaitValue32_v2");
}
int cuMemHostGetDevicePointer_v2(address *at, void *host, unsigned flags) {
    (void)flags;
    *at = (address)(size_t)host;
    return 0;
}
/* Copies that a driver may still be busy with when the call returns: from here
   until the context is waited for, no kernel of another stream may start. */
static int copying;
int cuCtxSynchronize(void) {
    copying = 0;
    return call("cuCtxSynchronize");
}
/* Where buffers were filled from the host: the inputs of a task among them. */
static address fills[65536];
static unsigned filled;

/* NVRTC asks a driver that it finds for this, and goes on without. */
int cuGetExportTable(const void **table, const void *id) { (void)id; *table = 0; return 500; }

int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuInit(unsigned flags) { (void)flags; return fault("FAKE_INIT"); }
int cuDeviceGetCount(int *count) { *count = getenv("FAKE_NO_CARD") ? 0 : 2; return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDeviceGetName(char *name, int length, int device) {
    strncpy(name, device ? "Fake B" : "Fake A", length);
    return 0;
}
int cuDeviceGetUuid_v2(unsigned char *uuid, int device) {
    memset(uuid, 0xA0 + device, 16);
    return 0;
}
int cuDeviceGetAttribute(int *value, int which, int device) {
    (void)device;
    switch (which) {
    case 2: case 3: *value = 1024; break; /* threads of a block in x and y */
    case 4: *value = 64; break;
    case 5: *value = 0x7FFFFFFF; break; /* blocks in x */
    case 6: case 7: *value = 65535; break;
    case 38: *value = 1 << 20; break; /* second-level cache */
    case 75: *value = 9; break;
    case 76: *value = 0; break;
    case 97: *value = 232448; break; /* shared memory of a block */
    default: *value = 4;
    }
    return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
    (void)device;
    *context = handle;
    return fault("FAKE_RETAIN");
}
int cuStreamCreate(void **stream, unsigned flags) { (void)flags; *stream = handle; return 0; }
int cuMemGetInfo_v2(size_t *free_bytes, size_t *total) { *free_bytes = *total = 1u << 30; return 0; }
/* What lies in fresh memory rises from one piece to the next. */
int cuMemAlloc_v2(address *at, size_t bytes) {
    static unsigned char pieces;
    *at = (address)(size_t)malloc(bytes);
    memset((void *)(size_t)*at, pieces++ & 0x3F, bytes);
    return 0;
}
int cuMemFree_v2(address at) { free((void *)(size_t)at); return 0; }
int cuMemHostAlloc(void **at, size_t bytes, unsigned flags) {
    (void)flags;
    *at = malloc(bytes);
    return 0;
}
int cuMemFreeHost(void *at) { free(at); return 0; }
int cuMemcpyHtoD_v2(address to, const void *from, size_t bytes) {
    memcpy((void *)(size_t)to, from, bytes);
    copying = 1;
    if (filled < sizeof fills / sizeof *fills) fills[filled++] = to;
    return 0;
}
int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *stream) {
    static address first;
    (void)stream;
    memcpy((void *)(size_t)to, from, bytes);
    /* Copies that arrive whole only where the first one did. */
    if (!first) first = to;
    if (getenv("FAKE_SPOIL") && to != first) *(unsigned char *)(size_t)to ^= 0x40;
    return call("cuMemcpyHtoDAsync_v2");
}
int cuMemcpyDtoH_v2(void *to, address from, size_t bytes) {
    memcpy(to, (void *)(size_t)from, bytes);
    return call("cuMemcpyDtoH_v2");
}
int cuMemsetD8Async(address to, unsigned char value, size_t bytes, void *stream) {
    (void)stream;
    memset((void *)(size_t)to, value, bytes);
    return call("cuMemsetD8Async");
}
int cuStreamEndCapture(void *stream, void **graph) { (void)stream; *graph = handle; return 0; }
int cuGraphInstantiateWithFlags(void **made, void *graph, unsigned long long flags) {
    (void)graph;
    (void)flags;
    *made = handle;
    return 0;
}
int cuEventCreate(void **event, unsigned flags) { (void)flags; *event = handle; return 0; }
int cuEventQuery(void *event) { (void)event; call("cuEventQuery"); return fault("FAKE_QUERY"); }
int cuEventElapsedTime_v2(float *ms, void *from, void *to) {
    static unsigned calls;
    (void)from;
    (void)to;
    *ms = 0.064f + 0.001024f * (calls++ % 5);
    return 0;
}
int cuModuleLoadData(void **module, const void *image) { (void)image; *module = handle; return 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
    (void)module;
    (void)name;
    *function = handle;
    return 0;
}
int cuFuncGetAttribute(int *value, int which, void *function) {
    (void)function;
    *value = which == 0 ? 1024 : which == 4 ? 40 : 0;
    return 0;
}
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, void *f, int threads, size_t shared) {
    (void)f;
    (void)threads;
    (void)shared;
    *n = 8;
    return 0;
}
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                   unsigned bz, unsigned shared, void *stream, void **arguments, void **extra) {
    (void)f; (void)gy; (void)gz; (void)by; (void)bz; (void)shared; (void)stream; (void)extra;
    /* Every argument can be read. */
    int turns;
    call("cuLaunchKernel");
    /* A queue that is full: the call waits for the device, which is held back. */
    for (turns = 0; getenv("FAKE_FULL") && held && !*held && turns < 1000; turns++) usleep(10000);
    if (!gx || !bx || !arguments || copying) return 1;
    /* A kernel that writes to its first argument, from the second set of buffers on.
       Instruments with one block may have none. */
    if (getenv("FAKE_WRITE") && gx > 1) {
        static address first;
        address at = *(address *)arguments[0];
        unsigned k;
        for (k = 0; k < filled && fills[k] != at; k++) {}
        if (k < filled && !first) first = at;
        if (k < filled && first != at) *(unsigned char *)(size_t)at ^= 1;
    }
    /* One that writes to its first argument once, when it is run for the first time. */
    if (getenv("FAKE_WRITE_ONCE") && gx > 1) {
        static int written;
        address at = *(address *)arguments[0];
        unsigned k;
        for (k = 0; k < filled && fills[k] != at; k++) {}
        if (k < filled && !written++) *(unsigned char *)(size_t)at ^= 1;
    }
    return fault("FAKE_LAUNCH");
}
