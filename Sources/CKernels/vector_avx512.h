// One AVX-512 register of floats, in the words of float_body.h. Included inside the attribute push.
typedef __m512 vf;
enum { VL = 16 };

CK_INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
CK_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
CK_INLINE void v_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
CK_INLINE __mmask16 v_mask(size_t n) { return (__mmask16)((1u << n) - 1); }
CK_INLINE vf v_load_tail(const float *p, size_t n, float fill) {
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), v_mask(n), p);
}
CK_INLINE void v_store_tail(float *p, size_t n, vf x) { _mm512_mask_storeu_ps(p, v_mask(n), x); }
CK_INLINE vf v_load_halves(const uint8_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }

CK_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
CK_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
CK_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
CK_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
CK_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
CK_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
CK_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); } // b where one of them is NaN
CK_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
CK_INLINE vf v_abs(vf a) { return _mm512_abs_ps(a); }
CK_INLINE vf v_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// x · 2ⁿ for a whole n.
CK_INLINE vf v_scale(vf x, vf n) { return _mm512_scalef_ps(x, n); }
/// a where x is negative, else b.
CK_INLINE vf v_if_negative(vf x, vf a, vf b) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), b, a);
}
CK_INLINE float v_total(vf a) { return _mm512_reduce_add_ps(a); }
CK_INLINE float v_largest(vf a) { return _mm512_reduce_max_ps(a); }
