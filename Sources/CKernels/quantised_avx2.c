#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "quantised_avx2.h"

enum {
    MR = 6,              // 12 sums, 2 weights, an input of 16 registers
    CHUNK = 120,         // rows that share an unpacked span: 15 KB of float sums
    AHEAD = 2048,        // bytes from what is multiplied to what is prefetched, for one row: further than the hardware looks
};

// A 4-bit weight is multiplied as the nibble it is: a pair of products, 2 · 15 · 127, is added 8 times within 16 bits,
// which is a block; its sums then meet their steps. What zeros take away is a product of its own, of zero · step and
// the sums of the inputs' blocks, two blocks at a time: b and b + 2, as the bytes of steps lie.
//
// So it is with 2 bits, but that twice the weights are summed, as they have a half: 8·pair - (2·zero - 3), times step.

/// What a zero takes away.
CK_INLINE __m256i shift_of(const int format, __m256i zero) {
    return format == CK_Q4 ? zero : _mm256_sub_epi16(_mm256_add_epi16(zero, zero), _mm256_set1_epi16(3));
}

/// Shift · step of blocks b and b + 2, and of b + 1 and b + 3, from the steps of four blocks.
CK_INLINE void shift_pairs(const int format, __m256i steps, __m256i pairs[2]) {
    const __m256i low = _mm256_set1_epi16(15);
    __m256i zero = _mm256_and_si256(_mm256_srli_epi16(steps, 4), low), odd = _mm256_srli_epi16(steps, 8);
    pairs[0] = _mm256_mullo_epi16(_mm256_and_si256(steps, low), shift_of(format, zero));
    pairs[1] = _mm256_mullo_epi16(_mm256_and_si256(odd, low), shift_of(format, _mm256_srli_epi16(steps, 12)));
}

/// The factor of one of four blocks in both halves of each output: its step, or 8 times that.
CK_INLINE __m256i step_twice(const int format, __m256i steps, int block) {
    const __m256i places = _mm256_broadcastsi128_si256(
        _mm_setr_epi32((int)0x80008000, (int)0x80048004, (int)0x80088008, (int)0x800C800C));
    __m256i place = _mm256_add_epi16(places, _mm256_set1_epi16((short)block));
    __m256i twice = _mm256_shuffle_epi8(_mm256_and_si256(steps, _mm256_set1_epi8(15)), place);
    return format == CK_Q4 ? twice : _mm256_slli_epi16(twice, 3);
}

CK_INLINE __m256 panel_scales(const int format, const uint8_t *halves) {
    __m256 scales = scales_at(halves);
    return format == CK_Q4 ? scales : _mm256_mul_ps(scales, _mm256_set1_ps(0.5f));
}

/// Σ x of blocks b and b + 2: 32 · 127 fits 16 bits.
CK_INLINE __m256i sum_pair(const int32_t *sums, size_t b, size_t blocks) {
    uint32_t low = b < blocks ? (uint16_t)sums[b] : 0, high = b + 2 < blocks ? (uint32_t)sums[b + 2] << 16 : 0;
    return _mm256_set1_epi32((int)(low | high));
}

// One row: weights are read once, in the order of memory.

/// Adds the products of a block's line of weights, 8 inputs of q4 or 16 of q2, with those inputs.
CK_INLINE void add_line(const int format, __m256i line, const __m256i *inputs, __m256i *pairs) {
    const int bits = format == CK_Q4 ? 4 : 2;
    const __m256i low = _mm256_set1_epi8((1 << bits) - 1);
    for (int i = 0; i < 8 / bits; i++) {
        __m256i weights = _mm256_and_si256(_mm256_srli_epi16(line, bits * i), low);
        *pairs = _mm256_add_epi16(*pairs, _mm256_maddubs_epi16(weights, inputs[i]));
    }
}

CK_INLINE void one_row_span(const int format, const uint8_t *span, size_t blocks, const int8_t *x, const int32_t *sums,
                            __m256i totals[STRIPS]) {
    const int together = format == CK_Q4 ? 2 : 4; // groups of four inputs in a line
    const uint8_t *w = span + CK_Q4_HEAD;
    for (size_t four = 0; four < blocks; four += 4) {
        __m256i steps[STRIPS];
        for (int i = 0; i < STRIPS; i++) {
            __m256i shifts[2];
            steps[i] = line_at(span + 64 + four * CK_PANEL + i * 32);
            shift_pairs(format, steps[i], shifts);
            for (size_t odd = 0; odd < 2; odd++) {
                __m256i excess = _mm256_madd_epi16(shifts[odd], sum_pair(sums, four + odd, blocks));
                totals[i] = _mm256_sub_epi32(totals[i], excess);
            }
        }
        for (size_t b = 0; b < 4 && four + b < blocks; b++) {
            __m256i pairs[STRIPS];
            for (int i = 0; i < STRIPS; i++) pairs[i] = _mm256_setzero_si256();
            for (int j = 0; j < CK_BLOCK / CK_GROUP; j += together, w += CK_PANEL * 4, x += CK_GROUP * together) {
                ck_prefetch(w + AHEAD, 4 * CK_PANEL);
                __m256i inputs[4];
                for (int g = 0; g < together; g++) inputs[g] = four_at(x + CK_GROUP * g);
                for (int i = 0; i < STRIPS; i++) add_line(format, line_at(w + i * 32), inputs, &pairs[i]);
            }
            for (int i = 0; i < STRIPS; i++) {
                __m256i products = _mm256_madd_epi16(pairs[i], step_twice(format, steps[i], (int)b));
                totals[i] = _mm256_add_epi32(totals[i], products);
            }
        }
    }
}

CK_INLINE void one_row(const int format, const ck_quantised_matmul *job, size_t m, ck_range panels) {
    size_t inputs = job->x.inputs;
    ck_input_row x = ck_input_row_at(&job->x, m);
    for (size_t panel = panels.begin; panel < panels.end; panel++) {
        const uint8_t *span = (const uint8_t *)job->panels + panel * ck_panel_bytes(format, inputs);
        __m256 sums[STRIPS];
        for (int i = 0; i < STRIPS; i++) sums[i] = _mm256_setzero_ps();
        for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(format, CK_SPAN)) {
            size_t blocks = ck_blocks_of(inputs, s);
            __m256i totals[STRIPS];
            for (int i = 0; i < STRIPS; i++) totals[i] = _mm256_setzero_si256();
            one_row_span(format, span, blocks, x.bytes + s * CK_SPAN, x.sums + s * CK_SPAN_BLOCKS, totals);
            for (int i = 0; i < STRIPS; i++) {
                __m256 scale = _mm256_mul_ps(panel_scales(format, span + i * 16), _mm256_set1_ps(x.scales[s]));
                sums[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(totals[i]), scale, sums[i]);
            }
        }
        for (int i = 0; i < STRIPS; i++) finish(job, m, panel * CK_PANEL + (size_t)i * STRIP, sums[i]);
    }
}

// Many rows: a span is unpacked to nibbles, or pairs of bits, in bytes once for all of them.

typedef struct {
    _Alignas(64) uint8_t nibbles[CK_SPAN_BLOCKS][CK_BLOCK * CK_PANEL]; // of a block: [8][32][4]
    __m256i steps[CK_SPAN_BLOCKS][STRIPS];
    __m256i shifts[CK_SPAN_BLOCKS / 2][STRIPS];                          // as `shift_pairs` has them
    __m256 scales[STRIPS];
    size_t blocks;
} unpacked_span;

CK_INLINE void unpack(const int format, const uint8_t *span, size_t blocks, unpacked_span *to) {
    const int bits = format == CK_Q4 ? 4 : 2;
    const __m256i low = _mm256_set1_epi8((1 << bits) - 1);
    const uint8_t *w = span + CK_Q4_HEAD;
    to->blocks = blocks;
    for (int i = 0; i < STRIPS; i++) to->scales[i] = panel_scales(format, span + i * 16);
    for (size_t b = 0; b < blocks; b++) {
        for (int i = 0; i < STRIPS; i++) {
            __m256i steps = line_at(span + 64 + b / 4 * 128 + i * 32), shifts[2];
            to->steps[b][i] = step_twice(format, steps, (int)(b % 4));
            if (b % 4 != 0) continue;
            shift_pairs(format, steps, shifts);
            to->shifts[b / 2][i] = shifts[0], to->shifts[b / 2 + 1][i] = shifts[1];
        }
        uint8_t *out = to->nibbles[b];
        for (int j = 0; j < CK_BLOCK / CK_GROUP; j += 8 / bits, out += CK_PANEL * CK_GROUP * (8 / bits - 1)) {
            for (int i = 0; i < STRIPS; i++, w += 32, out += 32) {
                __m256i line = line_at(w);
                for (int g = 0; g < 8 / bits; g++) {
                    __m256i each = _mm256_and_si256(_mm256_srli_epi16(line, bits * g), low);
                    _mm256_store_si256((__m256i *)(out + CK_PANEL * CK_GROUP * g), each);
                }
            }
        }
    }
}

/// Adds the products of a span with `rows` rows to `sums` [rows][32], for the two strips at `strip`. Prefetches half of the
/// span at `next` unless it is NULL.
CK_INLINE void multiply(const int format, const int rows, const ck_input_row *first, size_t stride, size_t s,
                        const unpacked_span *span, int strip, const uint8_t *next, float *sums) {
    const size_t blocks = span->blocks, block_bytes = format == CK_Q4 ? CK_Q4_BLOCK : CK_Q2_BLOCK;
    if (next && strip == 0) ck_prefetch(next, CK_Q4_HEAD);
    __m256i totals[MR][2];
    for (int r = 0; r < rows; r++) {
        const int32_t *from = (const int32_t *)((const char *)(first->sums + s * CK_SPAN_BLOCKS) + (size_t)r * stride);
        totals[r][0] = totals[r][1] = _mm256_setzero_si256();
        for (size_t p = 0; p < CK_SPAN_BLOCKS / 2 && p / 2 * 4 < blocks; p++) {
            __m256i pair = sum_pair(from, p / 2 * 4 + p % 2, blocks);
            for (int i = 0; i < 2; i++) {
                __m256i excess = _mm256_madd_epi16(span->shifts[p][strip + i], pair);
                totals[r][i] = _mm256_sub_epi32(totals[r][i], excess);
            }
        }
    }
    for (size_t b = 0; b < blocks; b++) {
        const int8_t *x = first->bytes + s * CK_SPAN + b * CK_BLOCK, *bases[2] = {x, x + 3 * stride};
        const uint8_t *w = span->nibbles[b] + strip * 32;
        if (next) ck_prefetch(next + CK_Q4_HEAD + b * block_bytes + strip * (block_bytes / STRIPS), block_bytes / 2);
        __m256i pairs[MR][2];
        for (int r = 0; r < rows; r++) pairs[r][0] = pairs[r][1] = _mm256_setzero_si256();
        for (int g = 0; g < CK_BLOCK; g += CK_GROUP, w += CK_PANEL * CK_GROUP) {
            __m256i w0 = line_at(w), w1 = line_at(w + 32);
#pragma clang loop unroll(full)
            for (int r = 0; r < rows; r++) {
                __m256i inputs = four_at(bases[r / 3] + (size_t)(r % 3) * stride + g);
                pairs[r][0] = _mm256_add_epi16(pairs[r][0], _mm256_maddubs_epi16(w0, inputs));
                pairs[r][1] = _mm256_add_epi16(pairs[r][1], _mm256_maddubs_epi16(w1, inputs));
            }
        }
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < 2; i++) {
                __m256i product = _mm256_madd_epi16(pairs[r][i], span->steps[b][strip + i]);
                totals[r][i] = _mm256_add_epi32(totals[r][i], product);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        float row_scale;
        memcpy(&row_scale, (const char *)(first->scales + s) + (size_t)r * stride, sizeof row_scale);
        for (int i = 0; i < 2; i++) {
            float *sum = sums + r * CK_PANEL + (strip + i) * STRIP;
            __m256 scale = _mm256_mul_ps(span->scales[strip + i], _mm256_set1_ps(row_scale));
            _mm256_storeu_ps(sum, _mm256_fmadd_ps(_mm256_cvtepi32_ps(totals[r][i]), scale, _mm256_loadu_ps(sum)));
        }
    }
}

CK_INLINE void multiply_rows(const int format, size_t rows, const ck_input_row *x, size_t stride, size_t s,
                             const unpacked_span *span, const uint8_t *next, float *sums) {
    for (int strip = 0; strip < STRIPS; strip += 2) {
        switch (rows) {
#define CK_CASE(n) case n: multiply(format, n, x, stride, s, span, strip, next, sums); break;
        CK_CASE(1) CK_CASE(2) CK_CASE(3) CK_CASE(4) CK_CASE(5) CK_CASE(6)
#undef CK_CASE
        }
    }
}

CK_INLINE void many_rows(const int format, const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    _Alignas(64) float sums[CHUNK * CK_PANEL];
    unpacked_span unpacked;
    size_t inputs = job->x.inputs;
    for (size_t m = rows.begin; m < rows.end; m += CHUNK) {
        size_t count = CK_MIN(rows.end - m, (size_t)CHUNK);
        for (size_t panel = panels.begin; panel < panels.end; panel++) {
            const uint8_t *span = (const uint8_t *)job->panels + panel * ck_panel_bytes(format, inputs);
            memset(sums, 0, count * CK_PANEL * sizeof(float));
            for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(format, CK_SPAN)) {
                unpack(format, span, ck_blocks_of(inputs, s), &unpacked);
                for (size_t r = 0; r < count; r += MR) {
                    ck_input_row x = ck_input_row_at(&job->x, m + r);
                    const uint8_t *next = r == 0 ? span + ck_panel_bytes(format, CK_SPAN) : NULL;
                    multiply_rows(format, CK_MIN(count - r, (size_t)MR), &x, job->x.stride, s, &unpacked, next,
                                  sums + r * CK_PANEL);
                }
            }
            for (size_t r = 0; r < count; r++) {
                for (size_t n = 0; n < CK_PANEL; n += STRIP) {
                    finish(job, m + r, panel * CK_PANEL + n, _mm256_load_ps(sums + r * CK_PANEL + n));
                }
            }
        }
    }
}

void ck_matmul_q4_avx2(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    if (rows.end - rows.begin == 1) one_row(CK_Q4, job, rows.begin, panels);
    else many_rows(CK_Q4, job, rows, panels);
    activate_all(job, rows, panels);
}

void ck_matmul_q2_avx2(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    if (rows.end - rows.begin == 1) one_row(CK_Q2, job, rows.begin, panels);
    else many_rows(CK_Q2, job, rows, panels);
    activate_all(job, rows, panels);
}

#pragma clang attribute pop
#endif
