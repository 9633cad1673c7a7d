// The kernels on rows of floats, written once over the registers of vector_*.h and exp_body.h. The including file defines
// CK(name) and the attribute of its instruction set. Every sum has a fixed order that depends on n alone.

CK_INLINE vf v_sigmoid(vf x) { return v_div(v_set(1), v_add(v_set(1), v_exp(v_sub(v_set(0), x)))); }

CK_INLINE vf v_silu(vf x) { return v_div(x, v_add(v_set(1), v_exp(v_sub(v_set(0), x)))); }

CK_INLINE vf v_tanh(vf x) { // 1 - 2 / (1 + e²ˣ)
    return v_sub(v_set(1), v_div(v_set(2), v_add(v_set(1), v_exp(v_add(x, x)))));
}

/// x·Φ(x), where Φ(-a) = exp(-a²/2)·t·P(t), t = 1/(1 + 0.3a): a Chebyshev fit on 0 ≤ a ≤ 13.5, relative error 2e-7.
CK_INLINE vf v_gelu(vf x) {
    vf a = v_abs(x), t = v_div(v_set(1), v_fma(a, v_set(0.3f), v_set(1)));
    vf p = v_fma(v_set(0.0367274209856987f), t, v_set(-0.16145804524421692f));
    p = v_fma(p, t, v_set(0.2134457230567932f));
    p = v_fma(p, t, v_set(-0.059978943318128586f));
    p = v_fma(p, t, v_set(0.13176357746124268f));
    p = v_fma(p, t, v_set(0.09898338466882706f));
    p = v_fma(p, t, v_set(0.12089648097753525f));
    p = v_fma(p, t, v_set(0.1196204200387001f));
    vf tail = v_mul(v_mul(p, t), v_exp(v_mul(v_mul(a, a), v_set(-0.5f))));
    return v_mul(x, v_if_negative(x, tail, v_sub(v_set(1), tail)));
}

#define CK_MAP(function)                                                                     \
    do {                                                                                     \
        size_t i = 0;                                                                        \
        for (; i + VL <= n; i += VL) v_store(y + i, function(v_load(y + i)));                \
        if (i < n) v_store_tail(y + i, n - i, function(v_load_tail(y + i, n - i, 0)));       \
    } while (0)

CK_INLINE vf v_relu(vf x) { return v_if_negative(x, v_set(0), x); }
CK_INLINE vf v_relu6(vf x) { return v_min(v_set(6), v_max(v_set(0), x)); } // NaN passes

void CK(activate)(float *y, size_t n, int activation) {
    switch (activation) {
    case CK_GELU: CK_MAP(v_gelu); break;
    case CK_RELU: CK_MAP(v_relu); break;
    case CK_RELU6: CK_MAP(v_relu6); break;
    case CK_SIGMOID: CK_MAP(v_sigmoid); break;
    case CK_SILU: CK_MAP(v_silu); break;
    default: break;
    }
}

float CK(maximum)(const float *x, size_t n) {
    vf largest = v_set(-INFINITY);
    size_t i = 0;
    for (; i + VL <= n; i += VL) largest = v_max(v_load(x + i), largest);
    if (i < n) largest = v_max(v_load_tail(x + i, n - i, -INFINITY), largest);
    return v_largest(largest);
}

float CK(sum_of_exponentials)(const float *x, size_t n, float shift) {
    vf sum = v_set(0), s = v_set(shift);
    size_t i = 0;
    for (; i + VL <= n; i += VL) sum = v_add(sum, v_exp(v_sub(v_load(x + i), s)));
    if (i < n) sum = v_add(sum, v_exp(v_sub(v_load_tail(x + i, n - i, -INFINITY), s)));
    return v_total(sum);
}

void CK(softmax)(float *x, size_t n) {
    float sum = exponentials(x, n, CK(maximum)(x, n));
    multiply_all(x, n, 1 / sum);
}

float CK(dot)(const float *a, const float *b, size_t n) {
    vf sum[4] = {v_set(0), v_set(0), v_set(0), v_set(0)}; // FMA latency 4
    size_t i = 0;
    for (; i + 4 * VL <= n; i += 4 * VL) {
        for (int u = 0; u < 4; u++) sum[u] = v_fma(v_load(a + i + u * VL), v_load(b + i + u * VL), sum[u]);
    }
    for (; i + VL <= n; i += VL) sum[0] = v_fma(v_load(a + i), v_load(b + i), sum[0]);
    if (i < n) sum[1] = v_fma(v_load_tail(a + i, n - i, 0), v_load_tail(b + i, n - i, 0), sum[1]);
    return v_total(v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3])));
}

void CK(axpy)(float a, const float *x, float *restrict y, size_t n) {
    size_t i = 0;
    for (; i + VL <= n; i += VL) v_store(y + i, v_fma(v_set(a), v_load(x + i), v_load(y + i)));
    if (i < n) v_store_tail(y + i, n - i, v_fma(v_set(a), v_load_tail(x + i, n - i, 0), v_load_tail(y + i, n - i, 0)));
}

void CK(layer_norm)(const ck_layer_norm *job) {
    size_t n = job->columns, whole = n / VL * VL;
    for (size_t m = 0; m < job->rows; m++) {
        const float *x = job->x + m * n;
        float *y = job->y + m * n;
        vf sum = v_set(0), squares = v_set(0);
        for (size_t i = 0; i < whole; i += VL) sum = v_add(sum, v_load(x + i));
        if (whole < n) sum = v_add(sum, v_load_tail(x + whole, n - whole, 0));
        float average = v_total(sum) / (float)n;
        vf mean = v_set(average);
        for (size_t i = 0; i < whole; i += VL) {
            vf d = v_sub(v_load(x + i), mean);
            squares = v_fma(d, d, squares);
        }
        if (whole < n) {
            vf d = v_sub(v_load_tail(x + whole, n - whole, average), mean);
            squares = v_fma(d, d, squares);
        }
        vf factor = v_set(1 / sqrtf(v_total(squares) / (float)n + job->epsilon));
        for (size_t i = 0; i < whole; i += VL) {
            vf normal = v_mul(v_sub(v_load(x + i), mean), factor);
            v_store(y + i, v_fma(normal, v_load(job->gamma + i), v_load(job->beta + i)));
        }
        if (whole < n) {
            vf normal = v_mul(v_sub(v_load_tail(x + whole, n - whole, 0), mean), factor);
            vf gamma = v_load_tail(job->gamma + whole, n - whole, 0);
            vf beta = v_load_tail(job->beta + whole, n - whole, 0);
            v_store_tail(y + whole, n - whole, v_fma(normal, gamma, beta));
        }
    }
}

void CK(lstm)(const float *gates, float *cell, float *hidden, size_t n) {
    for (size_t i = 0; i < n; i += VL) {
        size_t w = CK_MIN(n - i, (size_t)VL);
        vf input = v_sigmoid(v_load_tail(gates + i, w, 0)), forget = v_sigmoid(v_load_tail(gates + n + i, w, 0));
        vf candidate = v_tanh(v_load_tail(gates + 2 * n + i, w, 0));
        vf output = v_sigmoid(v_load_tail(gates + 3 * n + i, w, 0));
        vf c = v_fma(forget, v_load_tail(cell + i, w, 0), v_mul(input, candidate));
        v_store_tail(cell + i, w, c);
        v_store_tail(hidden + i, w, v_mul(output, v_tanh(c)));
    }
}

void CK(half_to_float)(const uint8_t *bytes, float *out, size_t n) {
    size_t i = 0;
    for (; i + VL <= n; i += VL) v_store(out + i, v_load_halves(bytes + 2 * i));
    if (i < n) {
        uint8_t tail[2 * VL] = {0};
        memcpy(tail, bytes + 2 * i, 2 * (n - i));
        v_store_tail(out + i, n - i, v_load_halves(tail));
    }
}
