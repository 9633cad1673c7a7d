#if defined(__x86_64__)
#include "internal.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c"))), \
                             apply_to = function)

#define CK(name) ck_##name##_avx512vnni
#define CK_ROW(name) ck_##name##_avx512
#include "vector_avx512.h"

enum {
    MR = 12,            // 24 sums, 2 weights, 1 input of 32 registers
    ZERO = 128,         // vpdpbusd takes unsigned × signed
    TILE_DEPTH = 1536,  // 12 × 1600 B = 19 KB of a 32 KB L1
    TILE_STRIDE = 1600, // 25 cache lines, odd: rows never compete for one set
    TILE_BYTES = MR * TILE_STRIDE,
};

CK_INLINE void store_quantised(uint8_t *out, vf x) {
    __m512i bytes = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(ZERO));
    _mm_storeu_si128((__m128i *)out, _mm512_cvtepi32_epi8(bytes));
}

/// Floats of sums, less what ZERO added: ZERO · Σ w.
CK_INLINE vf v_integers(const int32_t *sums, const int32_t *weight_sums) {
    __m512i excess = _mm512_slli_epi32(_mm512_loadu_si512(weight_sums), 7);
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(sums), excess));
}

CK_INLINE void multiply(const int rows, const uint8_t *x, const int8_t *w, size_t groups, int32_t *sums) {
    __m512i total[MR][2];
    for (int r = 0; r < rows; r++) total[r][0] = total[r][1] = _mm512_setzero_si512();
    for (size_t done = 0; done < groups; done += TILE_DEPTH / CK_GROUP, x += TILE_BYTES) {
        size_t depth = CK_MIN(groups - done, (size_t)(TILE_DEPTH / CK_GROUP));
        for (size_t g = 0; g < depth; g++, w += CK_GROUP * CK_PANEL) {
            __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 64);
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
                int32_t four;
                memcpy(&four, x + r * TILE_STRIDE + g * CK_GROUP, sizeof four);
                __m512i inputs = _mm512_set1_epi32(four);
                total[r][0] = _mm512_dpbusd_epi32(total[r][0], inputs, w0);
                total[r][1] = _mm512_dpbusd_epi32(total[r][1], inputs, w1);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        _mm512_store_si512(sums + r * CK_PANEL, total[r][0]);
        _mm512_store_si512(sums + r * CK_PANEL + 16, total[r][1]);
    }
}

static void multiply_groups(size_t rows, const uint8_t *x, const int8_t *w, size_t groups, int32_t *sums) {
    switch (rows) {
#define CK_CASE(n) case n: multiply(n, x, w, groups, sums); break;
    CK_CASE(1) CK_CASE(2) CK_CASE(3) CK_CASE(4) CK_CASE(5) CK_CASE(6)
    CK_CASE(7) CK_CASE(8) CK_CASE(9) CK_CASE(10) CK_CASE(11) CK_CASE(12)
#undef CK_CASE
    }
}

#include "int8_body.h"

#pragma clang attribute pop
#endif
