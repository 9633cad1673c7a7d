// The picture kernels, written once over the registers of vector_*.h, exp_body.h and `dot` of float_body.h. The including
// file defines CK(name).

/// x / (1 + e⁻²ᵘ) = x/2 · (1 + tanh(u)), u = √(2/π) (x + 0.044715 x³): nothing cancels on either side.
CK_INLINE vf v_gelu_tanh(vf x) {
    vf square = v_mul(x, x);
    vf twice = v_mul(x, v_fma(v_set(-0.0713548163f), square, v_set(-1.5957691216f))); // -2u
    return v_div(x, v_add(v_set(1), v_exp(twice)));
}

void CK(rms_norm_gelu)(const ck_rms_norm *job) {
    size_t n = job->width;
    const float *weight = job->weight;
    for (size_t g = 0; g < job->groups; g++) {
        const float *x = job->x + g * n;
        float *y = job->y + g * n;
        vf factor = v_set(1 / sqrtf(CK(dot)(x, x, n) / (float)n + job->epsilon));
        size_t i = 0;
        for (; i + VL <= n; i += VL) {
            vf value = v_mul(v_load(x + i), factor);
            if (weight) value = v_mul(value, v_load(weight + i));
            v_store(y + i, v_gelu_tanh(value));
        }
        if (i < n) {
            vf value = v_mul(v_load_tail(x + i, n - i, 0), factor);
            if (weight) value = v_mul(value, v_load_tail(weight + i, n - i, 0));
            v_store_tail(y + i, n - i, v_gelu_tanh(value));
        }
    }
}

void CK(add_scaled)(const float *x, const float *scale, float *restrict y, size_t rows, size_t columns) {
    size_t whole = columns / VL * VL;
    for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
        for (size_t i = 0; i < whole; i += VL) {
            v_store(y + i, v_add(v_load(y + i), v_mul(v_load(x + i), v_load(scale + i))));
        }
        for (size_t i = whole; i < columns; i++) y[i] += x[i] * scale[i];
    }
}
