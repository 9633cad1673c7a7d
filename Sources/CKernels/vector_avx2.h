// One AVX2 register of floats, in the words of float_body.h. Included inside the attribute push.
typedef __m256 vf;
enum { VL = 8 };

CK_INLINE vf v_set(float x) { return _mm256_set1_ps(x); }
CK_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
CK_INLINE void v_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
CK_INLINE vf v_load_tail(const float *p, size_t n, float fill) {
    float lanes[VL];
    _mm256_storeu_ps(lanes, _mm256_set1_ps(fill));
    for (size_t i = 0; i < n; i++) lanes[i] = p[i];
    return _mm256_loadu_ps(lanes);
}
CK_INLINE void v_store_tail(float *p, size_t n, vf x) {
    float lanes[VL];
    _mm256_storeu_ps(lanes, x);
    for (size_t i = 0; i < n; i++) p[i] = lanes[i];
}
CK_INLINE vf v_load_halves(const uint8_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

CK_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
CK_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
CK_INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
CK_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
CK_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
CK_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
CK_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); } // b where one of them is NaN
CK_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
CK_INLINE vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
CK_INLINE vf v_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// x · 2ⁿ for a whole n in -252...254: two factors, as 2ⁿ itself may not be a normal number.
CK_INLINE vf v_scale(vf x, vf n) {
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1), bias = _mm256_set1_epi32(127);
    __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), bias), 23);
    return _mm256_mul_ps(_mm256_mul_ps(x, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
}
/// a where x is negative, else b.
CK_INLINE vf v_if_negative(vf x, vf a, vf b) {
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ));
}
CK_INLINE float v_total(vf a) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
CK_INLINE float v_largest(vf a) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
