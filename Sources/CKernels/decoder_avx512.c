#if defined(__x86_64__)
#include "decoder.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,f16c"))), \
                             apply_to = function)

#define CK(name) ck_##name##_avx512
#define CK_ROW(name) ck_##name##_avx512
#include "vector_avx512.h"
#include "exp_body.h"

CK_INLINE void v_store_halves(uint16_t *out, vf x) {
    _mm256_storeu_si256((__m256i *)out, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

enum { AT_ONCE = 4 };

/// Pairs, then fours, then the lanes of 128 bits: 45 instructions instead of 16 · 7.
CK_INLINE void v_totals(const __m512 *sums, float *out) {
    __m512 fours[4];
    for (int i = 0; i < 4; i++) {
        const __m512 *s = sums + 4 * i;
        __m512 a = _mm512_add_ps(_mm512_unpacklo_ps(s[0], s[1]), _mm512_unpackhi_ps(s[0], s[1]));
        __m512 b = _mm512_add_ps(_mm512_unpacklo_ps(s[2], s[3]), _mm512_unpackhi_ps(s[2], s[3]));
        fours[i] = _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
    }
    __m512 a = _mm512_shuffle_f32x4(fours[0], fours[1], 0x88), b = _mm512_shuffle_f32x4(fours[0], fours[1], 0xDD);
    __m512 c = _mm512_shuffle_f32x4(fours[2], fours[3], 0x88), d = _mm512_shuffle_f32x4(fours[2], fours[3], 0xDD);
    a = _mm512_add_ps(a, b);
    c = _mm512_add_ps(c, d);
    b = _mm512_shuffle_f32x4(a, c, 0x88);
    d = _mm512_shuffle_f32x4(a, c, 0xDD);
    _mm512_storeu_ps(out, _mm512_add_ps(b, d));
}

/// Packed in registers and stored whole: what lies behind the packed ones has been read already.
CK_INLINE size_t pack_above(float *x, size_t n, float cut, int32_t *indices) {
    __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t count = 0, i = 0;
    for (; i + VL <= n; i += VL) {
        vf left = v_sub(v_load(x + i), v_set(cut));
        __mmask16 above = _mm512_cmp_ps_mask(left, _mm512_setzero_ps(), _CMP_GT_OQ);
        if (above) {
            v_store(x + count, _mm512_maskz_compress_ps(above, left));
            __m512i here = _mm512_add_epi32(places, _mm512_set1_epi32((int)i));
            _mm512_storeu_si512(indices + count, _mm512_maskz_compress_epi32(above, here));
            count += (size_t)__builtin_popcount(above);
        }
    }
    for (; i < n; i++) {
        float left = x[i] - cut;
        if (!(left > 0)) continue;
        x[count] = left;
        indices[count++] = (int32_t)i;
    }
    return count;
}

#include "decoder_body.h"

#pragma clang attribute pop
#endif
