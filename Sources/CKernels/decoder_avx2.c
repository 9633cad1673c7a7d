#if defined(__x86_64__)
#include "decoder.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define CK(name) ck_##name##_avx2
#define CK_ROW(name) ck_##name##_avx2
#include "vector_avx2.h"
#include "exp_body.h"

CK_INLINE void v_store_halves(uint16_t *out, vf x) {
    _mm_storeu_si128((__m128i *)out, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

enum { AT_ONCE = 2 };

CK_INLINE void v_totals(const __m256 *sums, float *out) {
    for (int i = 0; i < 4 * AT_ONCE; i++) out[i] = v_total(sums[i]);
}

CK_INLINE size_t pack_above(float *x, size_t n, float cut, int32_t *indices) {
    size_t count = 0;
    for (size_t i = 0; i < n; i += VL) {
        vf left = v_sub(v_load_tail(x + i, CK_MIN(n - i, (size_t)VL), -INFINITY), v_set(cut));
        float each[VL];
        v_store(each, left);
        unsigned above = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(left, _mm256_setzero_ps(), _CMP_GT_OQ));
        for (; above; above &= above - 1) {
            int lane = __builtin_ctz(above);
            x[count] = each[lane];
            indices[count++] = (int32_t)i + lane;
        }
    }
    return count;
}

#include "decoder_body.h"

#pragma clang attribute pop
#endif
