// Exponentials over the registers of vector_*.h: what softmax is made of.

/// eˣ to 1 ulp: 2ⁿ · (1 + r + r²·g(r)) with x = n·ln 2 + r; g is a Chebyshev fit on |r| ≤ ln 2 / 2, relative error 1e-8.
CK_INLINE vf v_exp(vf x) {
    x = v_min(v_set(89.0f), v_max(v_set(-104.0f), x)); // beyond these the result is ∞ or 0; NaN passes
    vf n = v_round(v_mul(x, v_set(0x1.715476p+0f)));
    vf r = v_fnma(n, v_set(0x1.62e400p-1f), x); // ln 2 in two parts, the first so short that n times it is exact
    r = v_fnma(n, v_set(0x1.7f7d1cp-20f), r);
    vf g = v_fma(v_set(0x1.6d43b4p-10f), r, v_set(0x1.120be8p-7f));
    g = v_fma(g, r, v_set(0x1.5554e8p-5f));
    g = v_fma(g, r, v_set(0x1.5554dcp-3f));
    g = v_fma(g, r, v_set(0.5f));
    vf p = v_add(v_fma(v_mul(r, r), g, r), v_set(1));
    return v_scale(p, n);
}

/// x = exp(x - shift); returns the sum.
CK_INLINE float exponentials(float *x, size_t n, float shift) {
    vf sum = v_set(0), s = v_set(shift);
    size_t i = 0;
    for (; i + VL <= n; i += VL) {
        vf e = v_exp(v_sub(v_load(x + i), s));
        v_store(x + i, e);
        sum = v_add(sum, e);
    }
    if (i < n) {
        vf e = v_exp(v_sub(v_load_tail(x + i, n - i, -INFINITY), s));
        v_store_tail(x + i, n - i, e);
        sum = v_add(sum, e);
    }
    return v_total(sum);
}

CK_INLINE void multiply_all(float *x, size_t n, float factor) {
    size_t i = 0;
    for (; i + VL <= n; i += VL) v_store(x + i, v_mul(v_load(x + i), v_set(factor)));
    for (; i < n; i++) x[i] *= factor;
}
