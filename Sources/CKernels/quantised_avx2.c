#if defined(__x86_64__)
#include "quantised.h"
#include <immintrin.h>
#include <math.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define CK_ROW(name) ck_##name##_avx2

enum { MR = 4, STRIP = 8 }; // rows and outputs at a time

CK_INLINE __m256 scales_at(const uint8_t *halves) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)halves)); }

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

/// Sums of a span for `rows` rows and 8 outputs. Pairs of products, 2 · 15 · 127, are added 8 times within 16 bits.
CK_INLINE void span_q4(const int rows, const uint8_t *span, int strip, size_t blocks, const ck_input_row *x, size_t s,
                       __m256i totals[MR]) {
    const __m256i low = _mm256_set1_epi8(15), nibble = _mm256_set1_epi32(15);
    const uint8_t *w = span + CK_Q4_HEAD + strip * 32;
    for (int r = 0; r < rows; r++) totals[r] = _mm256_setzero_si256();
    for (size_t b = 0; b < blocks; b++) {
        __m256i pairs[MR];
        for (int r = 0; r < rows; r++) pairs[r] = _mm256_setzero_si256();
        for (int j = 0; j < 4; j++, w += CK_PANEL * 4) {
            __m256i two = _mm256_loadu_si256((const __m256i *)w);
            __m256i w0 = _mm256_and_si256(two, low), w1 = _mm256_and_si256(_mm256_srli_epi16(two, 4), low);
            for (int r = 0; r < rows; r++) {
                const int8_t *inputs = x[r].bytes + s * CK_SPAN + b * CK_BLOCK + (size_t)j * 8;
                __m256i x0 = _mm256_set1_epi32((int)ck_load32(inputs)), x1 = _mm256_set1_epi32((int)ck_load32(inputs + 4));
                pairs[r] = _mm256_add_epi16(pairs[r], _mm256_maddubs_epi16(w0, x0));
                pairs[r] = _mm256_add_epi16(pairs[r], _mm256_maddubs_epi16(w1, x1));
            }
        }
        __m256i both = _mm256_loadu_si256((const __m256i *)(span + 64 + b / 4 * 128 + strip * 32));
        both = _mm256_srl_epi32(both, _mm_cvtsi32_si128((int)(b % 4 * 8)));
        __m256i step = _mm256_and_si256(both, nibble), zero = _mm256_and_si256(_mm256_srli_epi32(both, 4), nibble);
        __m256i twice = _mm256_or_si256(step, _mm256_slli_epi32(step, 16)), shift = _mm256_mullo_epi16(step, zero);
        for (int r = 0; r < rows; r++) {
            __m256i excess = _mm256_mullo_epi32(shift, _mm256_set1_epi32(x[r].sums[s * CK_SPAN_BLOCKS + b]));
            totals[r] = _mm256_add_epi32(totals[r], _mm256_sub_epi32(_mm256_madd_epi16(pairs[r], twice), excess));
        }
    }
}

/// The same of unsigned bytes: 16 bits each, as pairs of their products do not fit 16.
CK_INLINE void span_q8(const int rows, const uint8_t *span, int strip, size_t blocks, const ck_input_row *x, size_t s,
                       __m256i totals[MR]) {
    const uint8_t *w = span + CK_Q8_HEAD + strip * 32;
    for (int r = 0; r < rows; r++) totals[r] = _mm256_set1_epi32(x[r].offsets[s]);
    for (size_t g = 0; g < blocks * 8; g++, w += CK_PANEL * 4) {
        __m256i four = _mm256_loadu_si256((const __m256i *)w);
        __m256i even = _mm256_and_si256(four, _mm256_set1_epi16(255)), odd = _mm256_srli_epi16(four, 8);
        for (int r = 0; r < rows; r++) {
            __m256i inputs = _mm256_set1_epi32((int)ck_load32(x[r].bytes + s * CK_SPAN + g * 4));
            __m256i x0 = _mm256_srai_epi16(_mm256_slli_epi16(inputs, 8), 8), x1 = _mm256_srai_epi16(inputs, 8);
            totals[r] = _mm256_add_epi32(totals[r], _mm256_madd_epi16(even, x0));
            totals[r] = _mm256_add_epi32(totals[r], _mm256_madd_epi16(odd, x1));
        }
    }
}

CK_INLINE void finish(const ck_quantised_matmul *job, size_t row, size_t first, __m256 sums) {
    float values[STRIP], *y = job->y + row * job->y_stride + first;
    _mm256_storeu_ps(values, sums);
    for (size_t n = 0; n < STRIP && first + n < job->outputs; n++) {
        float value = job->bias ? values[n] + job->bias[first + n] : values[n];
        y[n] = job->adding ? y[n] + value : value;
    }
}

CK_INLINE void multiply(const int format, const int rows, const ck_quantised_matmul *job, size_t m, size_t panel) {
    size_t inputs = job->x.inputs;
    const uint8_t *first = (const uint8_t *)job->panels + panel * ck_panel_bytes(format, inputs);
    ck_input_row x[MR];
    for (int r = 0; r < rows; r++) x[r] = ck_input_row_at(&job->x, m + (size_t)r);
    for (int strip = 0; strip < CK_PANEL / STRIP; strip++) {
        const uint8_t *span = first;
        __m256 sums[MR];
        for (int r = 0; r < rows; r++) sums[r] = _mm256_setzero_ps();
        for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(format, CK_SPAN)) {
            __m256i totals[MR];
            if (format == CK_Q4) span_q4(rows, span, strip, ck_blocks_of(inputs, s), x, s, totals);
            else span_q8(rows, span, strip, ck_blocks_of(inputs, s), x, s, totals);
            __m256 scales = scales_at(span + strip * 16);
            for (int r = 0; r < rows; r++) {
                __m256 scale = _mm256_mul_ps(scales, _mm256_set1_ps(x[r].scales[s]));
                sums[r] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(totals[r]), scale, sums[r]);
            }
        }
        size_t output = panel * CK_PANEL + (size_t)strip * STRIP;
        for (int r = 0; r < rows && output < job->outputs; r++) finish(job, m + (size_t)r, output, sums[r]);
    }
}

CK_INLINE void multiply_all(const int format, const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    for (size_t panel = panels.begin; panel < panels.end; panel++) {
        for (size_t m = rows.begin; m < rows.end; m += MR) {
            switch (CK_MIN(rows.end - m, (size_t)MR)) {
            case 1: multiply(format, 1, job, m, panel); break;
            case 2: multiply(format, 2, job, m, panel); break;
            case 3: multiply(format, 3, job, m, panel); break;
            default: multiply(format, 4, job, m, panel); break;
            }
        }
    }
    if (job->activation == CK_NONE) return;
    size_t first = panels.begin * CK_PANEL, last = CK_MIN(panels.end * CK_PANEL, job->outputs);
    for (size_t m = rows.begin; m < rows.end; m++) {
        CK_ROW(activate)(job->y + m * job->y_stride + first, last - first, job->activation);
    }
}

void ck_matmul_q4_avx2(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    multiply_all(CK_Q4, job, rows, panels);
}

void ck_matmul_q8_avx2(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    multiply_all(CK_Q8, job, rows, panels);
}

#pragma clang attribute pop
#endif
