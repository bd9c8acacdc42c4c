// Top-k sampling: the k largest logits, their softmax at a temperature, one of
// them drawn with a given uniform number; on request the uncertainty of the
// whole distribution at temperature 1.
//
// out is [1 + 2 k]: the drawn token, the k tokens, their k probabilities; the
// tokens as floats, exact below 2^24. statistics is [2]: log-probability of the
// drawn token and entropy, in nats.

constexpr int THREADS = 256;
constexpr int TILE = 1024; // keys that a block sorts
constexpr int MOST = TILE / 2; // largest k: every merge then halves the rest
constexpr float LOWEST = -3.402823466e38f;

typedef unsigned long long Key;

// Keys order by rank: the larger logit first, the lower token among equals.
// No token has the key 0.
__device__ __forceinline__ Key key_of(float logit, unsigned int token) {
    const unsigned int bits = __float_as_uint(logit);
    const unsigned int ordered = (bits >> 31) ? ~bits : bits | 0x80000000u;
    return ((Key)ordered << 32) | ~token;
}

__device__ __forceinline__ float logit_of(Key key) {
    const unsigned int ordered = (unsigned int)(key >> 32);
    return __uint_as_float((ordered >> 31) ? ordered & 0x7fffffffu : ~ordered);
}

__device__ __forceinline__ unsigned int token_of(Key key) { return ~(unsigned int)key; }

// Sums over logits x, relative to their maximum: of e^(x - max), and of
// e^(x - max) (x - max). Logits of -inf count as absent.
struct Moments {
    float max;
    float sum;
    float weighted;
};

__device__ __forceinline__ Moments no_moments() { return Moments{LOWEST, 0.0f, 0.0f}; }

__device__ __forceinline__ void include(Moments& moments, const Moments& other) {
    const float max = fmaxf(moments.max, other.max);
    const float down = moments.max - max;
    const float other_down = other.max - max;
    const float keep = expf(down);
    const float other_keep = expf(other_down);
    moments.weighted = keep * (moments.weighted + down * moments.sum) +
                       other_keep * (other.weighted + other_down * other.sum);
    moments.sum = keep * moments.sum + other_keep * other.sum;
    moments.max = max;
}

__device__ __forceinline__ void include(Moments& moments, float logit) {
    if (!(logit < LOWEST)) { // NaN shows in the sums
        include(moments, Moments{logit, 1.0f, 0.0f});
    }
}

// The moments of all threads of the block, with thread 0.
__device__ Moments block_moments(Moments mine) {
    __shared__ Moments shared[THREADS];
    shared[threadIdx.x] = mine;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            include(shared[threadIdx.x], shared[threadIdx.x + half]);
        }
        __syncthreads();
    }
    return shared[0];
}

__device__ void write_statistics(const Moments& all, float drawn_logit, float* statistics) {
    const float log_sum = logf(all.sum);
    statistics[0] = drawn_logit - all.max - log_sum;
    statistics[1] = log_sum - all.weighted / all.sum;
}

// Softmax over the selection and the draw. `selected` is in shared memory, best
// first. Returns the drawn key to thread 0.
__device__ Key draw(const Key* selected, int k, float temperature, float uniform, float* out) {
    __shared__ float terms[MOST];
    __shared__ float total;
    const float largest = logit_of(selected[0]);
    for (int i = (int)threadIdx.x; i < k; i += THREADS) {
        terms[i] = expf((logit_of(selected[i]) - largest) / temperature);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        total = 0.0f;
        for (int i = 0; i < k; ++i) {
            total += terms[i];
        }
    }
    __syncthreads();
    for (int i = (int)threadIdx.x; i < k; i += THREADS) {
        terms[i] /= total;
        out[1 + i] = (float)token_of(selected[i]);
        out[1 + k + i] = terms[i];
    }
    __syncthreads();
    int drawn = 0;
    if (threadIdx.x == 0) {
        float cumulated = 0.0f;
        for (int i = 0; i < k; ++i) {
            cumulated += terms[i];
            // Should rounding leave the sum below the uniform number, the last
            // token that has a probability is drawn.
            if (terms[i] > 0.0f) {
                drawn = i;
            }
            if (uniform < cumulated) {
                break;
            }
        }
        out[0] = (float)token_of(selected[drawn]);
    }
    return selected[drawn];
}

// One block; each of k sweeps finds the best key below the last one.
extern "C" __global__ void sampling_repeated_argmax(const float* __restrict__ logits,
                                                    float* __restrict__ out, int vocabulary, int k,
                                                    float temperature, float uniform) {
    __shared__ Key selected[MOST];
    __shared__ Key best[THREADS];
    Key last = ~(Key)0;
    for (int round = 0; round < k; ++round) {
        Key mine = 0;
        for (int token = (int)threadIdx.x; token < vocabulary; token += THREADS) {
            const Key key = key_of(logits[token], (unsigned int)token);
            if (key < last && key > mine) {
                mine = key;
            }
        }
        best[threadIdx.x] = mine;
        __syncthreads();
        for (int half = THREADS / 2; half > 0; half /= 2) {
            if (threadIdx.x < half && best[threadIdx.x + half] > best[threadIdx.x]) {
                best[threadIdx.x] = best[threadIdx.x + half];
            }
            __syncthreads();
        }
        last = best[0];
        if (threadIdx.x == 0) {
            selected[round] = last;
        }
        __syncthreads(); // before the next round overwrites best
    }
    draw(selected, k, temperature, uniform, out);
}

// The statistics in a launch of their own: one block sweeps the logits again.
extern "C" __global__ void sampling_uncertainty(const float* __restrict__ logits,
                                                const float* __restrict__ out,
                                                float* __restrict__ statistics, int vocabulary) {
    Moments mine = no_moments();
    for (int token = (int)threadIdx.x; token < vocabulary; token += THREADS) {
        include(mine, logits[token]);
    }
    const Moments all = block_moments(mine);
    if (threadIdx.x == 0) {
        write_statistics(all, logits[(int)out[0]], statistics);
    }
}

// Sorts a tile in shared memory, largest first (bitonic network).
__device__ void sort_tile(Key* keys) {
    for (int size = 2; size <= TILE; size *= 2) {
        for (int stride = size / 2; stride > 0; stride /= 2) {
            for (int pair = (int)threadIdx.x; pair < TILE / 2; pair += THREADS) {
                const int low = 2 * pair - (pair & (stride - 1));
                const int high = low + stride;
                const bool descending = (low & size) == 0;
                const Key a = keys[low];
                const Key b = keys[high];
                if ((a < b) == descending) {
                    keys[low] = b;
                    keys[high] = a;
                }
            }
            __syncthreads();
        }
    }
}

__device__ void keep_best(const Key* keys, int k, float* best_logits, unsigned int* best_tokens) {
    for (int i = (int)threadIdx.x; i < k; i += THREADS) {
        const int slot = (int)blockIdx.x * k + i;
        best_logits[slot] = logit_of(keys[i]);
        best_tokens[slot] = token_of(keys[i]);
    }
}

// A tile per block: its best k, and its moments as [max, sum, weighted]. Tokens
// that a short tile lacks come out with the token 0xffffffff, which is no token.
template <bool UNCERTAINTY>
__device__ void select_tile(const float* logits, float* best_logits, unsigned int* best_tokens,
                            float* moments, int vocabulary, int k, Key* keys) {
    Moments mine = no_moments();
    for (int i = (int)threadIdx.x; i < TILE; i += THREADS) {
        const int token = (int)blockIdx.x * TILE + i;
        Key key = 0;
        if (token < vocabulary) {
            const float logit = logits[token];
            key = key_of(logit, (unsigned int)token);
            if (UNCERTAINTY) {
                include(mine, logit);
            }
        }
        keys[i] = key;
    }
    __syncthreads();
    sort_tile(keys);
    keep_best(keys, k, best_logits, best_tokens);
    if (UNCERTAINTY) {
        const Moments all = block_moments(mine);
        if (threadIdx.x == 0) {
            moments[3 * blockIdx.x] = all.max;
            moments[3 * blockIdx.x + 1] = all.sum;
            moments[3 * blockIdx.x + 2] = all.weighted;
        }
    }
}

__device__ void load_candidates(Key* keys, const float* logits, const unsigned int* tokens, int first,
                                int count) {
    for (int i = (int)threadIdx.x; i < TILE; i += THREADS) {
        const int slot = first + i;
        // The key of "no token" is 0 again only because its token says so.
        const bool present = slot < count && tokens[slot] != 0xffffffffu;
        keys[i] = present ? key_of(logits[slot], tokens[slot]) : 0;
    }
    __syncthreads();
}

template <bool UNCERTAINTY>
__device__ void draw_from_candidates(const float* logits, const unsigned int* tokens, const float* moments,
                                     float* out, float* statistics, int count, int tiles, int k,
                                     float temperature, float uniform, Key* keys) {
    load_candidates(keys, logits, tokens, 0, count);
    sort_tile(keys);
    const Key drawn = draw(keys, k, temperature, uniform, out);
    if (UNCERTAINTY) {
        Moments mine = no_moments();
        for (int tile = (int)threadIdx.x; tile < tiles; tile += THREADS) {
            include(mine, Moments{moments[3 * tile], moments[3 * tile + 1], moments[3 * tile + 2]});
        }
        const Moments all = block_moments(mine);
        if (threadIdx.x == 0) {
            write_statistics(all, logit_of(drawn), statistics);
        }
    }
}

extern "C" __global__ void sampling_select_tile(const float* __restrict__ logits,
                                                float* __restrict__ best_logits,
                                                unsigned int* __restrict__ best_tokens, int vocabulary,
                                                int k) {
    __shared__ Key keys[TILE];
    select_tile<false>(logits, best_logits, best_tokens, nullptr, vocabulary, k, keys);
}

extern "C" __global__ void sampling_select_tile_uncertainty(const float* __restrict__ logits,
                                                            float* __restrict__ best_logits,
                                                            unsigned int* __restrict__ best_tokens,
                                                            float* __restrict__ moments, int vocabulary,
                                                            int k) {
    __shared__ Key keys[TILE];
    select_tile<true>(logits, best_logits, best_tokens, moments, vocabulary, k, keys);
}

// Candidates of several tiles become fewer; repeated until they fit one tile.
extern "C" __global__ void sampling_merge(const float* __restrict__ logits,
                                          const unsigned int* __restrict__ tokens,
                                          float* __restrict__ best_logits,
                                          unsigned int* __restrict__ best_tokens, int count, int k) {
    __shared__ Key keys[TILE];
    load_candidates(keys, logits, tokens, (int)blockIdx.x * TILE, count);
    sort_tile(keys);
    keep_best(keys, k, best_logits, best_tokens);
}

// One block.
extern "C" __global__ void sampling_draw(const float* __restrict__ logits,
                                         const unsigned int* __restrict__ tokens, float* __restrict__ out,
                                         int count, int k, float temperature, float uniform) {
    __shared__ Key keys[TILE];
    draw_from_candidates<false>(logits, tokens, nullptr, out, nullptr, count, 0, k, temperature, uniform,
                                keys);
}

extern "C" __global__ void sampling_draw_uncertainty(const float* __restrict__ logits,
                                                     const unsigned int* __restrict__ tokens,
                                                     const float* __restrict__ moments,
                                                     float* __restrict__ out,
                                                     float* __restrict__ statistics, int count, int tiles,
                                                     int k, float temperature, float uniform) {
    __shared__ Key keys[TILE];
    draw_from_candidates<true>(logits, tokens, moments, out, statistics, count, tiles, k, temperature,
                               uniform, keys);
}
