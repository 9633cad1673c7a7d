#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "quantised_avx2.h"

// Unsigned bytes times signed ones in pairs do not fit 16 bits, so both are widened: of each four, the even ones and the
// odd ones are a pair of 16-bit numbers. Weights are widened where they are used, for up to four rows; inputs once for
// all panels. That bytes lie 128 too high is mended by where sums start.

enum {
    MR = 4,              // 8 sums, 2 weights, a mask, an input and a product of 16 registers
    WIDE = 96 << 10,     // widened inputs at hand: 192 KB
    CHUNK = 48,          // rows that share a span in the first cache: 6 KB of float sums
};

/// From one row of widened inputs to the next: odd in cache lines, so that rows do not compete for one set.
CK_INLINE size_t wide_stride(size_t inputs) { return (inputs / CK_BLOCK | 1) * CK_BLOCK; }

/// Bytes as [K/32][2][8][2]: the even ones of a block's groups of four, then the odd ones.
static void widen(const int8_t *bytes, size_t inputs, int16_t *wide) {
    for (size_t k = 0; k < inputs; k += CK_BLOCK, wide += CK_BLOCK) {
        __m256i four = line_at(bytes + k);
        _mm256_store_si256((__m256i *)wide, _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8));
        _mm256_store_si256((__m256i *)(wide + CK_BLOCK / 2), _mm256_srai_epi16(four, 8));
    }
}

CK_INLINE __m256i pair_at(const int16_t *wide) { return _mm256_set1_epi32((int)ck_load32(wide)); }

/// Adds the products of a span with `rows` rows to `sums` [rows][32], for `strips` strips from `first`. Prefetches as much of
/// the next span if asked.
CK_INLINE void multiply(const int rows, const int strips, int prefetching, const uint8_t *span, size_t blocks, int first,
                        const ck_input_row *x, size_t s, const int16_t *wide, size_t stride, float *sums) {
    const __m256i low = _mm256_set1_epi16(255);
    const uint8_t *w = span + CK_Q8_HEAD + first * 32;
    __m256i totals[MR][STRIPS];
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < strips; i++) totals[r][i] = _mm256_set1_epi32(x[r].offsets[s]);
    }
    for (size_t b = 0; b < blocks; b++, wide += CK_BLOCK) {
#pragma clang loop unroll(full)
        for (int g = 0; g < CK_BLOCK / CK_GROUP; g++, w += CK_PANEL * CK_GROUP) {
            if (prefetching) ck_prefetch(w + ck_panel_bytes(CK_Q8, CK_SPAN), (size_t)strips * 32);
            for (int odd = 0; odd < 2; odd++) {
                __m256i weights[STRIPS];
                for (int i = 0; i < strips; i++) {
                    __m256i four = line_at(w + i * 32);
                    weights[i] = odd ? _mm256_srli_epi16(four, 8) : _mm256_and_si256(four, low);
                }
#pragma clang loop unroll(full)
                for (int r = 0; r < rows; r++) {
                    __m256i inputs = pair_at(wide + (size_t)r * stride + odd * CK_BLOCK / 2 + g * 2);
                    for (int i = 0; i < strips; i++) {
                        totals[r][i] = _mm256_add_epi32(totals[r][i], _mm256_madd_epi16(weights[i], inputs));
                    }
                }
            }
        }
    }
    for (int i = 0; i < strips; i++) {
        __m256 scale = scales_at(span + (first + i) * 16);
        for (int r = 0; r < rows; r++) {
            float *sum = sums + r * CK_PANEL + (first + i) * STRIP;
            __m256 both = _mm256_mul_ps(scale, _mm256_set1_ps(x[r].scales[s]));
            _mm256_store_ps(sum, _mm256_fmadd_ps(_mm256_cvtepi32_ps(totals[r][i]), both, _mm256_load_ps(sum)));
        }
    }
}

/// All strips, in the order of memory for few rows.
CK_INLINE void multiply_rows(size_t rows, int prefetching, const uint8_t *span, size_t blocks, const ck_input_row *x, size_t s,
                             const int16_t *wide, size_t stride, float *sums) {
    switch (rows) {
#define CK_CASE(n, strips) \
    case n: \
        for (int i = 0; i < STRIPS; i += strips) { \
            multiply(n, strips, prefetching, span, blocks, i, x, s, wide, stride, sums); \
        } \
        break;
    CK_CASE(1, 4) CK_CASE(2, 4) CK_CASE(3, 2) CK_CASE(4, 2)
#undef CK_CASE
    }
}

/// Panels times as many rows as there is room for, span by span: each is in the first cache for all of them.
static void multiply_chunk(const ck_quantised_matmul *job, ck_range rows, ck_range panels, const int16_t *wide) {
    _Alignas(64) float sums[CHUNK * CK_PANEL];
    size_t inputs = job->x.inputs, stride = wide_stride(inputs), count = rows.end - rows.begin;
    for (size_t panel = panels.begin; panel < panels.end; panel++) {
        const uint8_t *span = (const uint8_t *)job->panels + panel * ck_panel_bytes(CK_Q8, inputs);
        memset(sums, 0, count * CK_PANEL * sizeof(float));
        for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(CK_Q8, CK_SPAN)) {
            for (size_t r = 0; r < count; r += MR) {
                size_t some = CK_MIN(count - r, (size_t)MR);
                ck_input_row x[MR];
                for (size_t i = 0; i < some; i++) x[i] = ck_input_row_at(&job->x, rows.begin + r + i);
                multiply_rows(some, r == 0, span, ck_blocks_of(inputs, s), x, s, wide + r * stride + s * CK_SPAN, stride,
                              sums + r * CK_PANEL);
            }
        }
        for (size_t r = 0; r < count; r++) {
            for (size_t n = 0; n < CK_PANEL; n += STRIP) {
                finish(job, rows.begin + r, panel * CK_PANEL + n, _mm256_load_ps(sums + r * CK_PANEL + n));
            }
        }
    }
}

void ck_matmul_q8_avx2(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    _Alignas(64) int16_t wide[WIDE];
    size_t stride = wide_stride(job->x.inputs), room = WIDE / stride;
    if (room > MR) room = CK_MIN(room / MR * MR, (size_t)CHUNK);
    for (size_t m = rows.begin; m < rows.end; m += room) {
        ck_range chunk = {m, CK_MIN(m + room, rows.end)};
        for (size_t r = m; r < chunk.end; r++) {
            widen(ck_input_row_at(&job->x, r).bytes, job->x.inputs, wide + (r - m) * stride);
        }
        multiply_chunk(job, chunk, panels, wide);
    }
    activate_all(job, rows, panels);
}

#pragma clang attribute pop
#endif
