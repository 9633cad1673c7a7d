#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "quantised_avx2.h"

enum {
    MR = 6,              // 12 sums, 2 weights, an input of 16 registers
    CHUNK = 120,         // rows that share an unpacked span: 15 KB of float sums
    AHEAD = 2048,        // bytes from what is multiplied to what is prefetched, for one row: further than the hardware looks
};

CK_INLINE int32_t total_of(__m256i eight) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
}

CK_INLINE float largest_magnitude(const float *x, size_t n) {
    __m256i most = _mm256_setzero_si256(); // as integers, magnitudes keep their order and NaN tops them
    for (size_t k = 0; k < n; k += 8) {
        __m256i bits = _mm256_loadu_si256((const __m256i *)(x + k));
        most = _mm256_max_epu32(most, _mm256_and_si256(bits, _mm256_set1_epi32(0x7FFFFFFF)));
    }
    uint32_t each[8], largest = 0;
    _mm256_storeu_si256((__m256i *)each, most);
    for (int i = 0; i < 8; i++) largest = each[i] > largest ? each[i] : largest;
    float result;
    memcpy(&result, &largest, sizeof result);
    return result;
}

CK_INLINE __m256i rounded(const float *x, __m256 factor) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), factor));
}

void ck_quantise_avx2(const float *x, size_t stride, const ck_quantised_inputs *to, ck_range rows) {
    for (size_t m = rows.begin; m < rows.end; m++) {
        ck_input_row row = ck_input_row_at(to, m);
        for (size_t s = 0; s < ck_spans(to->inputs); s++) {
            const float *from = x + m * stride + s * CK_SPAN;
            size_t blocks = ck_blocks_of(to->inputs, s);
            float largest = largest_magnitude(from, blocks * CK_BLOCK);
            int usable = largest >= 1e-30f && largest < INFINITY;
            __m256 factor = _mm256_set1_ps(usable ? 127 / largest : 0);
            int32_t total = 0;
            for (size_t b = 0; b < blocks; b++, from += CK_BLOCK) {
                __m256i bytes = _mm256_setzero_si256(), sums = bytes;
                if (usable) {
                    __m256i a = rounded(from, factor), c = rounded(from + 8, factor);
                    __m256i d = rounded(from + 16, factor), e = rounded(from + 24, factor);
                    sums = _mm256_add_epi32(_mm256_add_epi32(a, c), _mm256_add_epi32(d, e));
                    bytes = _mm256_packs_epi16(_mm256_packs_epi32(a, c), _mm256_packs_epi32(d, e));
                    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
                }
                _mm256_storeu_si256((__m256i *)(row.bytes + s * CK_SPAN + b * CK_BLOCK), bytes);
                int32_t sum = total_of(sums);
                row.sums[s * CK_SPAN_BLOCKS + b] = sum;
                total += sum;
            }
            row.scales[s] = usable ? largest / 127 : largest < INFINITY ? 0 : NAN;
            row.offsets[s] = -128 * total;
        }
    }
}

// A 4-bit weight is multiplied as the nibble it is: a pair of products, 2 · 15 · 127, is added 8 times within 16 bits,
// which is a block; its sums then meet their steps. What zeros take away is a product of its own, of zero · step and
// the sums of the inputs' blocks, two blocks at a time: b and b + 2, as the bytes of steps lie.

/// Zero · step of blocks b and b + 2, and of b + 1 and b + 3, from the steps of four blocks.
CK_INLINE void shift_pairs(__m256i steps, __m256i pairs[2]) {
    const __m256i low = _mm256_set1_epi16(15);
    __m256i zero = _mm256_and_si256(_mm256_srli_epi16(steps, 4), low), odd = _mm256_srli_epi16(steps, 8);
    pairs[0] = _mm256_mullo_epi16(_mm256_and_si256(steps, low), zero);
    pairs[1] = _mm256_mullo_epi16(_mm256_and_si256(odd, low), _mm256_srli_epi16(steps, 12));
}

/// The step of one of four blocks in both halves of each output.
CK_INLINE __m256i step_twice(__m256i steps, int block) {
    const __m256i places = _mm256_broadcastsi128_si256(
        _mm_setr_epi32((int)0x80008000, (int)0x80048004, (int)0x80088008, (int)0x800C800C));
    __m256i place = _mm256_add_epi16(places, _mm256_set1_epi16((short)block));
    return _mm256_shuffle_epi8(_mm256_and_si256(steps, _mm256_set1_epi8(15)), place);
}

/// Σ x of blocks b and b + 2: 32 · 127 fits 16 bits.
CK_INLINE __m256i sum_pair(const int32_t *sums, size_t b, size_t blocks) {
    uint32_t low = b < blocks ? (uint16_t)sums[b] : 0, high = b + 2 < blocks ? (uint32_t)sums[b + 2] << 16 : 0;
    return _mm256_set1_epi32((int)(low | high));
}

// One row: weights are read once, in the order of memory.

CK_INLINE void one_row_span(const uint8_t *span, size_t blocks, const int8_t *x, const int32_t *sums,
                            __m256i totals[STRIPS]) {
    const __m256i low = _mm256_set1_epi8(15);
    const uint8_t *w = span + CK_Q4_HEAD;
    for (size_t four = 0; four < blocks; four += 4) {
        __m256i steps[STRIPS];
        for (int i = 0; i < STRIPS; i++) {
            __m256i shifts[2];
            steps[i] = line_at(span + 64 + four * CK_PANEL + i * 32);
            shift_pairs(steps[i], shifts);
            for (size_t odd = 0; odd < 2; odd++) {
                __m256i excess = _mm256_madd_epi16(shifts[odd], sum_pair(sums, four + odd, blocks));
                totals[i] = _mm256_sub_epi32(totals[i], excess);
            }
        }
        for (size_t b = 0; b < 4 && four + b < blocks; b++, x += CK_BLOCK) {
            __m256i pairs[STRIPS];
            for (int i = 0; i < STRIPS; i++) pairs[i] = _mm256_setzero_si256();
            for (int j = 0; j < 4; j++, w += CK_PANEL * 4) {
                ck_prefetch(w + AHEAD, 4 * CK_PANEL);
                __m256i x0 = four_at(x + 8 * j), x1 = four_at(x + 8 * j + 4);
                for (int i = 0; i < STRIPS; i++) {
                    __m256i two = line_at(w + i * 32);
                    __m256i w0 = _mm256_and_si256(two, low), w1 = _mm256_and_si256(_mm256_srli_epi16(two, 4), low);
                    pairs[i] = _mm256_add_epi16(pairs[i], _mm256_maddubs_epi16(w0, x0));
                    pairs[i] = _mm256_add_epi16(pairs[i], _mm256_maddubs_epi16(w1, x1));
                }
            }
            for (int i = 0; i < STRIPS; i++) {
                totals[i] = _mm256_add_epi32(totals[i], _mm256_madd_epi16(pairs[i], step_twice(steps[i], (int)b)));
            }
        }
    }
}

CK_INLINE void one_row(const ck_quantised_matmul *job, size_t m, ck_range panels) {
    size_t inputs = job->x.inputs;
    ck_input_row x = ck_input_row_at(&job->x, m);
    for (size_t panel = panels.begin; panel < panels.end; panel++) {
        const uint8_t *span = (const uint8_t *)job->panels + panel * ck_panel_bytes(CK_Q4, inputs);
        __m256 sums[STRIPS];
        for (int i = 0; i < STRIPS; i++) sums[i] = _mm256_setzero_ps();
        for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(CK_Q4, CK_SPAN)) {
            size_t blocks = ck_blocks_of(inputs, s);
            __m256i totals[STRIPS];
            for (int i = 0; i < STRIPS; i++) totals[i] = _mm256_setzero_si256();
            one_row_span(span, blocks, x.bytes + s * CK_SPAN, x.sums + s * CK_SPAN_BLOCKS, totals);
            for (int i = 0; i < STRIPS; i++) {
                __m256 scale = _mm256_mul_ps(scales_at(span + i * 16), _mm256_set1_ps(x.scales[s]));
                sums[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(totals[i]), scale, sums[i]);
            }
        }
        for (int i = 0; i < STRIPS; i++) finish(job, m, panel * CK_PANEL + (size_t)i * STRIP, sums[i]);
    }
}

// Many rows: a span is unpacked to nibbles in bytes once for all of them.

typedef struct {
    _Alignas(64) uint8_t nibbles[CK_SPAN_BLOCKS][CK_BLOCK * CK_PANEL]; // of a block: [8][32][4]
    __m256i steps[CK_SPAN_BLOCKS][STRIPS];
    __m256i shifts[CK_SPAN_BLOCKS / 2][STRIPS];                          // as `shift_pairs` has them
    __m256 scales[STRIPS];
    size_t blocks;
} unpacked_span;

static void unpack(const uint8_t *span, size_t blocks, unpacked_span *to) {
    const __m256i low = _mm256_set1_epi8(15);
    const uint8_t *w = span + CK_Q4_HEAD;
    for (size_t b = 0; b < blocks; b++) {
        for (int i = 0; i < STRIPS; i++) {
            __m256i steps = line_at(span + 64 + b / 4 * 128 + i * 32), shifts[2];
            to->steps[b][i] = step_twice(steps, (int)(b % 4));
            if (b % 4 != 0) continue;
            shift_pairs(steps, shifts);
            to->shifts[b / 2][i] = shifts[0], to->shifts[b / 2 + 1][i] = shifts[1];
        }
        uint8_t *out = to->nibbles[b];
        for (int j = 0; j < 4; j++, out += CK_PANEL * 4) {
            for (int i = 0; i < STRIPS; i++, w += 32, out += 32) {
                __m256i two = line_at(w);
                _mm256_store_si256((__m256i *)out, _mm256_and_si256(two, low));
                _mm256_store_si256((__m256i *)(out + CK_PANEL * 4), _mm256_and_si256(_mm256_srli_epi16(two, 4), low));
            }
        }
    }
}

/// Adds the products of a span with `rows` rows to `sums` [rows][32], for the two strips at `strip`. Prefetches half of the
/// span at `next` unless it is NULL.
CK_INLINE void multiply(const int rows, const ck_input_row *first, size_t stride, size_t s,
                        const unpacked_span *span, int strip, const uint8_t *next, float *sums) {
    size_t blocks = span->blocks;
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
        if (next) ck_prefetch(next + CK_Q4_HEAD + b * CK_Q4_BLOCK + strip * (CK_Q4_BLOCK / STRIPS), CK_Q4_BLOCK / 2);
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

CK_INLINE void multiply_rows(size_t rows, const ck_input_row *x, size_t stride, size_t s,
                             const unpacked_span *span, const uint8_t *next, float *sums) {
    for (int strip = 0; strip < STRIPS; strip += 2) {
        switch (rows) {
#define CK_CASE(n) case n: multiply(n, x, stride, s, span, strip, next, sums); break;
        CK_CASE(1) CK_CASE(2) CK_CASE(3) CK_CASE(4) CK_CASE(5) CK_CASE(6)
#undef CK_CASE
        }
    }
}

CK_INLINE void many_rows(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    _Alignas(64) float sums[CHUNK * CK_PANEL];
    unpacked_span unpacked;
    size_t inputs = job->x.inputs;
    for (size_t m = rows.begin; m < rows.end; m += CHUNK) {
        size_t count = CK_MIN(rows.end - m, (size_t)CHUNK);
        for (size_t panel = panels.begin; panel < panels.end; panel++) {
            const uint8_t *span = (const uint8_t *)job->panels + panel * ck_panel_bytes(CK_Q4, inputs);
            memset(sums, 0, count * CK_PANEL * sizeof(float));
            for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(CK_Q4, CK_SPAN)) {
                unpacked.blocks = ck_blocks_of(inputs, s);
                for (int i = 0; i < STRIPS; i++) unpacked.scales[i] = scales_at(span + i * 16);
                unpack(span, unpacked.blocks, &unpacked);
                for (size_t r = 0; r < count; r += MR) {
                    ck_input_row x = ck_input_row_at(&job->x, m + r);
                    const uint8_t *next = r == 0 ? span + ck_panel_bytes(CK_Q4, CK_SPAN) : NULL;
                    multiply_rows(CK_MIN(count - r, (size_t)MR), &x, job->x.stride, s, &unpacked, next,
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
    if (rows.end - rows.begin == 1) one_row(job, rows.begin, panels);
    else many_rows(job, rows, panels);
    activate_all(job, rows, panels);
}

#pragma clang attribute pop
#endif
