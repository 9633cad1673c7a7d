#if defined(__x86_64__)
#include "internal.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define CK(name) ck_##name##_avx2
#define CK_ROW(name) ck_##name##_avx2
#include "vector_avx2.h"

enum {
    MR = 4,             // 8 sums, 2 weights, an input, its magnitude, ones: 13 of 16 registers
    TILE_DEPTH = 1536,
    TILE_STRIDE = 1600, // 25 cache lines, odd: rows never compete for one set
    TILE_BYTES = MR * TILE_STRIDE,
};

CK_INLINE void store_quantised(uint8_t *out, vf x) {
    __m256i words = _mm256_cvtps_epi32(x);
    __m128i shorts = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)out, _mm_packs_epi16(shorts, shorts));
}

CK_INLINE vf v_integers(const int32_t *sums, const int32_t *weight_sums) {
    (void)weight_sums;
    return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)sums));
}

/// vpmaddubsw takes unsigned × signed: |x| · (w with the sign of x). Both stay within ±127, so that its 16-bit pairs
/// cannot saturate.
CK_INLINE void multiply(const int rows, const uint8_t *x, const int8_t *w, size_t groups, int32_t *sums) {
    __m256i total[MR][2], ones = _mm256_set1_epi16(1);
    for (int r = 0; r < rows; r++) total[r][0] = total[r][1] = _mm256_setzero_si256();
    for (size_t done = 0; done < groups; done += TILE_DEPTH / CK_GROUP, x += TILE_BYTES) {
        size_t depth = CK_MIN(groups - done, (size_t)(TILE_DEPTH / CK_GROUP));
        for (size_t g = 0; g < depth; g++, w += CK_GROUP * CK_PANEL) {
            __m256i w0 = _mm256_loadu_si256((const __m256i *)w), w1 = _mm256_loadu_si256((const __m256i *)(w + 32));
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
                int32_t four;
                memcpy(&four, x + r * TILE_STRIDE + g * CK_GROUP, sizeof four);
                __m256i inputs = _mm256_set1_epi32(four), magnitudes = _mm256_abs_epi8(inputs);
                __m256i p0 = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(w0, inputs));
                __m256i p1 = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(w1, inputs));
                total[r][0] = _mm256_add_epi32(total[r][0], _mm256_madd_epi16(p0, ones));
                total[r][1] = _mm256_add_epi32(total[r][1], _mm256_madd_epi16(p1, ones));
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm256_storeu_si256((__m256i *)(sums + r * CK_PANEL), total[r][0]);
        _mm256_storeu_si256((__m256i *)(sums + r * CK_PANEL + 8), total[r][1]);
    }
}

static void multiply_groups(size_t rows, const uint8_t *x, const int8_t *w, size_t groups, int32_t *sums) {
    for (int half = 0; half < 2; half++) { // 16 outputs at a time
        const int8_t *weights = w + half * 64;
        int32_t *out = sums + half * 16;
        switch (rows) {
        case 1: multiply(1, x, weights, groups, out); break;
        case 2: multiply(2, x, weights, groups, out); break;
        case 3: multiply(3, x, weights, groups, out); break;
        case 4: multiply(4, x, weights, groups, out); break;
        }
    }
}

#include "int8_body.h"

#pragma clang attribute pop
#endif
