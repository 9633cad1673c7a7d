// The decoder's kernels, written once over the registers of vector_*.h and exp_body.h. The including file defines CK(name),
//   v_totals(sums[16], out): the totals of 16 registers;
//   v_store_halves(out, x);
//   pack_above(x, n, cut, indices): `cut` of ck_decoder.h.

/// 1 - 2 / (1 + e²ˣ); near 0, where that cancels, an odd polynomial: x - x³/3 + 2x⁵/15 - 17x⁷/315.
CK_INLINE vf v_tanh(vf x) {
    vf far = v_sub(v_set(1), v_div(v_set(2), v_add(v_set(1), v_exp(v_add(x, x)))));
    vf square = v_mul(x, x);
    vf p = v_fma(v_set(-0.053968254f), square, v_set(0.13333334f));
    p = v_fma(p, square, v_set(-0.33333334f));
    vf near = v_fma(v_mul(p, square), x, x);
    return v_if_negative(v_sub(v_abs(x), v_set(0.1f)), near, far);
}

/// Runs a block for whole registers at i and once for the last w < VL numbers; LOAD and STORE know which.
#define CK_FOR_EACH(n, ...)                                                       \
    do {                                                                          \
        size_t i = 0;                                                             \
        for (const size_t w = VL; i + VL <= (n); i += VL) { (void)w; __VA_ARGS__ } \
        if (i < (n)) { const size_t w = (n) - i; __VA_ARGS__ }                    \
    } while (0)
#define LOAD(p) (w == VL ? v_load((p) + i) : v_load_tail((p) + i, w, 0))
#define STORE(p, x)                                 \
    do {                                            \
        if (w == VL) v_store((p) + i, x);           \
        else v_store_tail((p) + i, w, x);           \
    } while (0)

void CK(rms_norm)(const ck_rms_norm *job) {
    size_t n = job->width;
    const float *weight = job->weight;
    for (size_t g = 0; g < job->groups; g++) {
        const float *x = job->x + g * n;
        float *y = job->y + g * n;
        vf factor = v_set(1 / sqrtf(CK(dot)(x, x, n) / (float)n + job->epsilon));
        CK_FOR_EACH(n, {
            vf value = v_mul(LOAD(x), factor);
            if (weight) value = v_mul(value, LOAD(weight));
            STORE(y, job->adding ? v_add(LOAD(y), value) : value);
        });
    }
}

void CK(multiply_gelu)(float *gates, const float *factors, size_t n) {
    CK_FOR_EACH(n, {
        vf x = LOAD(gates);
        vf inner = v_mul(v_set(0.7978845608f), v_fma(v_mul(v_mul(v_set(0.044715f), x), x), x, x));
        vf gelu = v_mul(v_mul(v_set(0.5f), x), v_add(v_set(1), v_tanh(inner)));
        STORE(gates, v_mul(gelu, LOAD(factors)));
    });
}

void CK(soft_cap)(float *x, size_t n, float cap) {
    CK_FOR_EACH(n, { STORE(x, v_mul(v_set(cap), v_tanh(v_div(LOAD(x), v_set(cap))))); });
}

void CK(rotate)(float *x, size_t heads, const float *cosines, const float *sines, size_t half) {
    for (size_t h = 0; h < heads; h++, x += 2 * half) {
        float *y = x + half;
        CK_FOR_EACH(half, {
            vf a = LOAD(x), b = LOAD(y), c = LOAD(cosines), s = LOAD(sines);
            STORE(x, v_sub(v_mul(a, c), v_mul(b, s)));
            STORE(y, v_add(v_mul(b, c), v_mul(a, s)));
        });
    }
}

/// Runs of 256 numbers are summed in floats, the runs in doubles.
float CK(cut_level)(const float *x, size_t n, float deviations) {
    enum { RUN = 256 };
    double sum = 0, squares = 0;
    for (size_t start = 0; start < n; start += RUN) {
        vf part = v_set(0);
        const float *run = x + start;
        CK_FOR_EACH(CK_MIN(n - start, (size_t)RUN), { part = v_add(part, LOAD(run)); });
        sum += v_total(part);
    }
    float mean = (float)(sum / (double)n);
    for (size_t start = 0; start < n; start += RUN) {
        vf part = v_set(0);
        const float *run = x + start;
        CK_FOR_EACH(CK_MIN(n - start, (size_t)RUN), {
            vf distance = v_sub(w == VL ? v_load(run + i) : v_load_tail(run + i, w, mean), v_set(mean));
            part = v_fma(distance, distance, part);
        });
        squares += v_total(part);
    }
    return (float)(sum / (double)n + sqrt(squares / (double)n) * deviations);
}

size_t CK(cut)(float *x, size_t n, float cut, int32_t *indices) { return pack_above(x, n, cut, indices); }

void CK(mix_streams)(float *const streams[CK_STREAMS], const float *c, size_t n) {
    CK_FOR_EACH(n, {
        vf old[CK_STREAMS];
        for (int j = 0; j < CK_STREAMS; j++) old[j] = LOAD(streams[j]);
        for (int s = 0; s < CK_STREAMS; s++) {
            vf sum = v_mul(v_set(c[4 * s]), old[0]);
            for (int j = 1; j < CK_STREAMS; j++) sum = v_fma(v_set(c[4 * s + j]), old[j], sum);
            STORE(streams[s], v_add(old[s], sum));
        }
    });
}

void CK(correct_streams)(float *const streams[CK_STREAMS], const float *o, const float *k, const float *scale,
                         float *scaled, size_t n) {
    CK_FOR_EACH(n, {
        vf change = v_sub(LOAD(o), LOAD(streams[0]));
        vf first = v_fma(v_set(k[0]), change, LOAD(streams[0]));
        STORE(streams[0], first);
        for (int s = 1; s < CK_STREAMS; s++) STORE(streams[s], v_fma(v_set(k[s]), change, LOAD(streams[s])));
        STORE(scaled, v_mul(first, LOAD(scale)));
    });
}

void CK(add_three)(const float *a, const float *b, const float *c, float factor, float *y, size_t n) {
    CK_FOR_EACH(n, { STORE(y, v_mul(v_add(v_add(LOAD(a), LOAD(b)), LOAD(c)), v_set(factor))); });
}

void CK(scale)(const float *x, float factor, float *y, size_t n) {
    CK_FOR_EACH(n, { STORE(y, v_mul(LOAD(x), v_set(factor))); });
}

void CK(float_to_half)(const float *x, uint16_t *out, size_t n) {
    size_t i = 0;
    for (; i + VL <= n; i += VL) v_store_halves(out + i, v_load(x + i));
    if (i < n) {
        uint16_t halves[VL];
        v_store_halves(halves, v_load_tail(x + i, n - i, 0));
        memcpy(out + i, halves, (n - i) * sizeof *halves);
    }
}

// Attention. A key meets up to four query heads, and keys and outputs are taken AT_ONCE registers at a time, as many as the
// including file has registers for their sums, each of which is the same whatever its neighbours are. What is AHEAD keys
// away is prefetched: a head's keys are too short a run for the hardware to guess.
enum { AHEAD = 16 }; // also the values that are mixed before the next ones are looked at: 8 KB

CK_INLINE vf load_number(const int are_halves, const void *rows, size_t start, size_t w) {
    if (!are_halves) {
        const float *p = (const float *)rows + start;
        return w == VL ? v_load(p) : v_load_tail(p, w, 0);
    }
    const uint8_t *p = (const uint8_t *)rows + 2 * start;
    if (w == VL) return v_load_halves(p);
    uint8_t tail[2 * VL] = {0};
    memcpy(tail, p, 2 * w);
    return v_load_halves(tail);
}

CK_INLINE size_t slot_of(const ck_grouped_attention *job, size_t index) {
    size_t slot = job->first + index;
    return slot >= job->slots ? slot - job->slots : slot;
}

/// Asks for the key or value that is AHEAD of place `p`: the `bytes` from `offset` on.
CK_INLINE void prefetch_slot(const int are_halves, const ck_grouped_attention *job, const void *rows, size_t p,
                             size_t offset, size_t bytes) {
    if (p + AHEAD >= job->count) return;
    size_t row = job->head_dim * (are_halves ? 2 : 4);
    ck_prefetch((const char *)rows + slot_of(job, p + AHEAD) * row + offset, bytes);
}

/// Scores of AT_ONCE keys (fewer at the end, the last one repeated) and `heads` heads from `head` on.
CK_INLINE void score_keys(const int are_halves, const int heads, const ck_grouped_attention *job, size_t head, size_t p) {
    size_t width = job->head_dim, last = job->count - 1, starts[AT_ONCE];
    vf sums[4 * AT_ONCE];
    for (int s = 0; s < 4 * AT_ONCE; s++) sums[s] = v_set(0);
    for (size_t j = 0; j < AT_ONCE; j++) {
        starts[j] = slot_of(job, CK_MIN(p + j, last)) * width;
        prefetch_slot(are_halves, job, job->keys, p + j, 0, width * (are_halves ? 2 : 4));
    }
    const float *queries = job->queries + head * width;
    CK_FOR_EACH(width, {
        vf keys[AT_ONCE];
        for (int j = 0; j < AT_ONCE; j++) keys[j] = load_number(are_halves, job->keys, starts[j] + i, w);
        for (int h = 0; h < heads; h++) {
            const float *query = queries + (size_t)h * width;
            vf q = LOAD(query);
            for (int j = 0; j < AT_ONCE; j++) sums[AT_ONCE * h + j] = v_fma(q, keys[j], sums[AT_ONCE * h + j]);
        }
    });
    float totals[4 * AT_ONCE];
    v_totals(sums, totals);
    for (int h = 0; h < heads; h++) {
        float *scores = job->scores + (head + (size_t)h) * job->count + p;
        for (size_t j = 0; j < CK_MIN(job->count - p, (size_t)AT_ONCE); j++) scores[j] = totals[AT_ONCE * h + (int)j];
    }
}

/// Adds the values of AHEAD places from `first` on to `vectors` registers of the outputs of `heads` heads, from number d on; w
/// of the last register. The first of all are where outputs begin.
CK_INLINE void mix_values(const int are_halves, const int heads, const int vectors, const ck_grouped_attention *job,
                          size_t head, size_t first, size_t d, size_t w) {
    size_t width = job->head_dim, bytes = are_halves ? 2 : 4;
    const float *weights = job->scores + head * job->count;
    vf sums[4][AT_ONCE];
    for (int h = 0; h < heads; h++) {
        const float *out = job->out + (head + (size_t)h) * width + d;
        for (int v = 0; v < vectors; v++) {
            if (first == 0) sums[h][v] = v_set(0);
            else sums[h][v] = v == vectors - 1 && w < VL ? v_load_tail(out + v * VL, w, 0) : v_load(out + v * VL);
        }
    }
    for (size_t p = first; p < CK_MIN(first + AHEAD, job->count); p++) {
        size_t start = slot_of(job, p) * width + d;
        prefetch_slot(are_halves, job, job->values, p, d * bytes, (size_t)vectors * VL * bytes);
        vf values[AT_ONCE];
        for (int v = 0; v < vectors; v++) {
            values[v] = load_number(are_halves, job->values, start + (size_t)v * VL, v == vectors - 1 ? w : VL);
        }
        for (int h = 0; h < heads; h++) {
            vf weight = v_set(weights[(size_t)h * job->count + p]);
            for (int v = 0; v < vectors; v++) sums[h][v] = v_fma(weight, values[v], sums[h][v]);
        }
    }
    for (int h = 0; h < heads; h++) {
        float *out = job->out + (head + (size_t)h) * width + d;
        for (int v = 0; v < vectors; v++) {
            if (v == vectors - 1 && w < VL) v_store_tail(out + v * VL, w, sums[h][v]);
            else v_store(out + v * VL, sums[h][v]);
        }
    }
}

CK_INLINE void attend_heads(const int are_halves, const int heads, const ck_grouped_attention *job, size_t head) {
    for (size_t p = 0; p < job->count; p += AT_ONCE) score_keys(are_halves, heads, job, head, p);
    for (int h = 0; h < heads; h++) CK(softmax)(job->scores + (head + (size_t)h) * job->count, job->count);
    size_t width = job->head_dim;
    for (size_t p = 0; p < job->count; p += AHEAD) {
        size_t d = 0;
        for (; d + AT_ONCE * VL <= width; d += AT_ONCE * VL) mix_values(are_halves, heads, AT_ONCE, job, head, p, d, VL);
        for (; d < width; d += VL) mix_values(are_halves, heads, 1, job, head, p, d, CK_MIN(width - d, (size_t)VL));
    }
}

CK_INLINE void attend_all(const int are_halves, const ck_grouped_attention *job) {
    for (size_t head = 0; head < job->heads; head += 4) {
        switch (CK_MIN(job->heads - head, (size_t)4)) {
        case 1: attend_heads(are_halves, 1, job, head); break;
        case 2: attend_heads(are_halves, 2, job, head); break;
        case 3: attend_heads(are_halves, 3, job, head); break;
        default: attend_heads(are_halves, 4, job, head); break;
        }
    }
}

void CK(attend_grouped)(const ck_grouped_attention *job) {
    if (job->are_halves) attend_all(1, job);
    else attend_all(0, job);
}
