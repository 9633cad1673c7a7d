#if defined(__x86_64__)
#include "quantised.h"
#include <immintrin.h>
#include <math.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c"))), \
                             apply_to = function)

#define CK_ROW(name) ck_##name##_avx512

enum {
    MR = 12,             // 24 sums, 2 weights, 1 input of 32 registers
    CHUNK = 264,         // rows that share an unpacked span: 34 KB of float sums, half of them in L1 at a time
};

CK_INLINE __m512 scales_at(const uint8_t *halves) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)halves));
}

void ck_quantise_avx512vnni(const float *x, size_t stride, const ck_quantised_inputs *to, ck_range rows) {
    const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF), ones = _mm512_set1_epi8(1);
    for (size_t m = rows.begin; m < rows.end; m++) {
        ck_input_row row = ck_input_row_at(to, m);
        for (size_t s = 0; s < ck_spans(to->inputs); s++) {
            const float *from = x + m * stride + s * CK_SPAN;
            int8_t *bytes = row.bytes + s * CK_SPAN;
            size_t blocks = ck_blocks_of(to->inputs, s), count = blocks * CK_BLOCK;
            __m512i most = _mm512_setzero_si512(); // as integers, magnitudes keep their order and NaN tops them
            for (size_t k = 0; k < count; k += 16) {
                most = _mm512_max_epu32(most, _mm512_and_si512(_mm512_loadu_si512(from + k), magnitude));
            }
            float largest = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128((int)_mm512_reduce_max_epu32(most))));
            int usable = largest >= 1e-30f && largest < INFINITY;
            row.scales[s] = usable ? largest / 127 : largest < INFINITY ? 0 : NAN;
            if (usable) {
                __m512 factor = _mm512_set1_ps(127 / largest);
                for (size_t k = 0; k < count; k += 16) {
                    __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(from + k), factor));
                    _mm_storeu_si128((__m128i *)(bytes + k), _mm512_cvtepi32_epi8(whole));
                }
            } else {
                memset(bytes, 0, count);
            }
            int32_t total = 0;
            for (size_t b = 0; b < blocks; b++) {
                __m256i block = _mm256_loadu_si256((const __m256i *)(bytes + b * CK_BLOCK));
                __m256i eight = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm512_castsi512_si256(ones), block);
                __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
                four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
                int32_t sum = _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
                row.sums[s * CK_SPAN_BLOCKS + b] = sum;
                total += sum;
            }
            row.offsets[s] = -128 * total;
        }
    }
}

/// Adds the bias, adds to or replaces y, for one row and the panel at output `first`.
CK_INLINE void finish(const ck_quantised_matmul *job, size_t row, size_t first, __m512 low, __m512 high) {
    float *y = job->y + row * job->y_stride + first;
    for (int half = 0; half < 2; half++) {
        size_t begin = (size_t)half * 16;
        if (first + begin >= job->outputs) break;
        __mmask16 mask = (__mmask16)((1u << CK_MIN(job->outputs - first - begin, (size_t)16)) - 1);
        __m512 value = half ? high : low;
        if (job->bias) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, job->bias + first + begin));
        if (job->adding) value = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, y + begin), value);
        _mm512_mask_storeu_ps(y + begin, mask, value);
    }
}

static void activate_all(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    if (job->activation == CK_NONE) return;
    size_t first = panels.begin * CK_PANEL, last = CK_MIN(panels.end * CK_PANEL, job->outputs);
    for (size_t m = rows.begin; m < rows.end; m++) {
        CK_ROW(activate)(job->y + m * job->y_stride + first, last - first, job->activation);
    }
}

// One row: the weights are read from memory once, so nothing is unpacked. Σ (nibble - 8) · x of a block fits 16 bits
// (32 · 8 · 127 = 32512), and so does (8 - zero) · step: vpdpwssd multiplies {that sum, Σ x} by {step, (8 - zero) · step}.

/// {step, (8 - zero) · step} of four blocks, from a byte each.
CK_INLINE void step_pairs(__m512i steps, __m512i pairs[4]) {
    const __m512i low = _mm512_set1_epi16(15), eight = _mm512_set1_epi16(8);
    for (int odd = 0; odd < 2; odd++) {
        __m512i step = _mm512_and_si512(odd ? _mm512_srli_epi16(steps, 8) : steps, low); // blocks odd and odd + 2
        __m512i zero = odd ? _mm512_srli_epi16(steps, 12) : _mm512_and_si512(_mm512_srli_epi16(steps, 4), low);
        __m512i shift = _mm512_mullo_epi16(_mm512_sub_epi16(eight, zero), step);
        pairs[odd] = _mm512_mask_blend_epi16(0xAAAAAAAA, step, _mm512_slli_epi32(shift, 16));
        pairs[odd + 2] = _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_srli_epi32(step, 16), shift);
    }
}

CK_INLINE void one_row_span_q4(const int blocks, const uint8_t *span, const int8_t *x, const int32_t *sums,
                               __m512i totals[2]) {
    const __m512i low = _mm512_set1_epi8(15);
    totals[0] = totals[1] = _mm512_setzero_si512();
    const uint8_t *w = span + CK_Q4_HEAD;
    __m512i pairs0[4], pairs1[4];
#pragma clang loop unroll(full)
    for (int b = 0; b < blocks; b++, x += CK_BLOCK) {
        if (b % 4 == 0) {
            step_pairs(_mm512_load_si512(span + 64 + b / 4 * 128), pairs0);
            step_pairs(_mm512_load_si512(span + 128 + b / 4 * 128), pairs1);
        }
        __m512i even0 = _mm512_set1_epi32(-8 * sums[b]), even1 = even0;
        __m512i odd0 = _mm512_setzero_si512(), odd1 = odd0;
#pragma clang loop unroll(full)
        for (int j = 0; j < 4; j++, w += 128) {
            __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + 64);
            __m512i x0 = _mm512_set1_epi32((int)ck_load32(x + 8 * j));
            __m512i x1 = _mm512_set1_epi32((int)ck_load32(x + 8 * j + 4));
            even0 = _mm512_dpbusd_epi32(even0, _mm512_and_si512(w0, low), x0);
            even1 = _mm512_dpbusd_epi32(even1, _mm512_and_si512(w1, low), x0);
            odd0 = _mm512_dpbusd_epi32(odd0, _mm512_and_si512(_mm512_srli_epi16(w0, 4), low), x1);
            odd1 = _mm512_dpbusd_epi32(odd1, _mm512_and_si512(_mm512_srli_epi16(w1, 4), low), x1);
        }
        __m512i sum = _mm512_set1_epi32(sums[b] << 16);
        __m512i both0 = _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_add_epi32(even0, odd0), sum);
        __m512i both1 = _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_add_epi32(even1, odd1), sum);
        totals[0] = _mm512_dpwssd_epi32(totals[0], both0, pairs0[b % 4]);
        totals[1] = _mm512_dpwssd_epi32(totals[1], both1, pairs1[b % 4]);
    }
}

static void one_row_q4(const ck_quantised_matmul *job, size_t m, ck_range panels) {
    size_t inputs = job->x.inputs, spans = ck_spans(inputs), panel_bytes = ck_panel_bytes(CK_Q4, inputs);
    ck_input_row x = ck_input_row_at(&job->x, m);
    for (size_t panel = panels.begin; panel < panels.end; panel++) {
        const uint8_t *span = (const uint8_t *)job->panels + panel * panel_bytes;
        __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0;
        for (size_t s = 0; s < spans; s++, span += CK_Q4_HEAD + CK_SPAN_BLOCKS * CK_Q4_BLOCK) {
            const int8_t *bytes = x.bytes + s * CK_SPAN;
            const int32_t *sums = x.sums + s * CK_SPAN_BLOCKS;
            __m512i totals[2];
            switch (ck_blocks_of(inputs, s)) {
#define CK_CASE(n) case n: one_row_span_q4(n, span, bytes, sums, totals); break;
            CK_CASE(1) CK_CASE(2) CK_CASE(3) CK_CASE(4) CK_CASE(5) CK_CASE(6) CK_CASE(7)
#undef CK_CASE
            default: one_row_span_q4(8, span, bytes, sums, totals); break;
            }
            __m512 scale = _mm512_set1_ps(x.scales[s]);
            sum0 = _mm512_fmadd_ps(_mm512_cvtepi32_ps(totals[0]), _mm512_mul_ps(scales_at(span), scale), sum0);
            sum1 = _mm512_fmadd_ps(_mm512_cvtepi32_ps(totals[1]), _mm512_mul_ps(scales_at(span + 32), scale), sum1);
        }
        finish(job, m, panel * CK_PANEL, sum0, sum1);
    }
}

// Many rows: nibble · step + (128 - zero · step) is an unsigned byte, so that a span is unpacked to bytes once for all rows
// and summed without a look at its steps.

static void unpack_q4(const uint8_t *span, size_t blocks, uint8_t *out) {
    const __m512i low = _mm512_set1_epi8(15), one_byte = _mm512_set1_epi32(255);
    for (int half = 0; half < 2; half++) {
        const uint8_t *w = span + CK_Q4_HEAD + half * 64;
        uint8_t *to = out + half * 64;
        __m512i steps = _mm512_setzero_si512();
        for (size_t b = 0; b < blocks; b++, steps = _mm512_srli_epi32(steps, 8)) {
            if (b % 4 == 0) steps = _mm512_load_si512(span + 64 + b / 4 * 128 + half * 64);
            __m512i both = _mm512_and_si512(steps, one_byte);
            both = _mm512_or_si512(both, _mm512_slli_epi32(both, 16)); // of each 16 bits
            __m512i step = _mm512_and_si512(both, low);
            __m512i shift = _mm512_mullo_epi16(_mm512_srli_epi16(both, 4), step);
            shift = _mm512_or_si512(shift, _mm512_slli_epi16(shift, 8)); // of each byte
            __m512i zero = _mm512_sub_epi8(_mm512_set1_epi8((char)128), shift);
            for (int j = 0; j < 4; j++, w += 128, to += 256) {
                __m512i two = _mm512_load_si512(w);
                __m512i w0 = _mm512_mullo_epi16(_mm512_and_si512(two, low), step); // no carry: 15 · 15 < 256
                __m512i w1 = _mm512_mullo_epi16(_mm512_and_si512(_mm512_srli_epi16(two, 4), low), step);
                _mm512_store_si512(to, _mm512_add_epi8(w0, zero));
                _mm512_store_si512(to + 128, _mm512_add_epi8(w1, zero));
            }
        }
    }
}

/// Asks for the next span of a panel: what many rows make of this one takes longer than its way from memory.
CK_INLINE void prefetch_span(const uint8_t *span, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) _mm_prefetch((const char *)span + i, _MM_HINT_T1);
}

/// Adds the products of one span of unsigned bytes [groups][32][4] with `rows` rows to `sums` [rows][32].
CK_INLINE void multiply(const int rows, const ck_input_row *first, size_t stride, size_t s, const uint8_t *w,
                        size_t groups, const __m512 *weight_scales, float *sums) {
    __m512i totals[MR][2];
    const char *scales = (const char *)(first->scales + s), *offsets = (const char *)(first->offsets + s);
    for (int r = 0; r < rows; r++) {
        totals[r][0] = totals[r][1] = _mm512_set1_epi32((int)ck_load32(offsets + (size_t)r * stride));
    }
    const int8_t *x = first->bytes + s * CK_SPAN; // four bases, of which each row is 0, 1 or 2 strides away
    const int8_t *bases[4] = {x, x + 3 * stride, x + 6 * stride, x + 9 * stride};
    for (size_t g = 0; g < groups; g++, w += CK_GROUP * CK_PANEL) {
        __m512i w0 = _mm512_loadu_si512(w), w1 = _mm512_loadu_si512(w + 64);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m512i inputs = _mm512_set1_epi32((int)ck_load32(bases[r / 3] + (size_t)(r % 3) * stride + g * CK_GROUP));
            totals[r][0] = _mm512_dpbusd_epi32(totals[r][0], w0, inputs);
            totals[r][1] = _mm512_dpbusd_epi32(totals[r][1], w1, inputs);
        }
    }
    for (int r = 0; r < rows; r++) {
        float row_scale;
        memcpy(&row_scale, scales + (size_t)r * stride, sizeof row_scale);
        for (int half = 0; half < 2; half++) {
            float *sum = sums + r * CK_PANEL + half * 16;
            __m512 scale = _mm512_mul_ps(weight_scales[half], _mm512_set1_ps(row_scale));
            _mm512_storeu_ps(sum, _mm512_fmadd_ps(_mm512_cvtepi32_ps(totals[r][half]), scale, _mm512_loadu_ps(sum)));
        }
    }
}

static void multiply_rows(size_t rows, const ck_input_row *x, size_t stride, size_t s, const uint8_t *w, size_t groups,
                          const __m512 *scales, float *sums) {
    switch (rows) {
#define CK_CASE(n) case n: multiply(n, x, stride, s, w, groups, scales, sums); break;
    CK_CASE(1) CK_CASE(2) CK_CASE(3) CK_CASE(4) CK_CASE(5) CK_CASE(6)
    CK_CASE(7) CK_CASE(8) CK_CASE(9) CK_CASE(10) CK_CASE(11) CK_CASE(12)
#undef CK_CASE
    }
}

CK_INLINE void many_rows(const int format, const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    _Alignas(64) float sums[CHUNK * CK_PANEL];
    _Alignas(64) uint8_t unpacked[CK_SPAN * CK_PANEL];
    size_t inputs = job->x.inputs, spans = ck_spans(inputs), panel_bytes = ck_panel_bytes(format, inputs);
    for (size_t m = rows.begin; m < rows.end; m += CHUNK) {
        size_t count = CK_MIN(rows.end - m, (size_t)CHUNK);
        for (size_t panel = panels.begin; panel < panels.end; panel++) {
            const uint8_t *span = (const uint8_t *)job->panels + panel * panel_bytes;
            memset(sums, 0, count * CK_PANEL * sizeof(float));
            for (size_t s = 0; s < spans; s++) {
                size_t blocks = ck_blocks_of(inputs, s);
                __m512 scales[2] = {scales_at(span), scales_at(span + 32)};
                const uint8_t *w = span + CK_Q8_HEAD;
                if (format == CK_Q4) unpack_q4(span, blocks, unpacked), w = unpacked;
                prefetch_span(span + ck_panel_bytes(format, CK_SPAN), ck_panel_bytes(format, CK_SPAN));
                for (size_t r = 0; r < count; r += MR) {
                    ck_input_row x = ck_input_row_at(&job->x, m + r);
                    multiply_rows(CK_MIN(count - r, (size_t)MR), &x, job->x.stride, s, w, blocks * 8, scales,
                                  sums + r * CK_PANEL);
                }
                span += ck_panel_bytes(format, CK_SPAN);
            }
            for (size_t r = 0; r < count; r++) {
                const float *sum = sums + r * CK_PANEL;
                finish(job, m + r, panel * CK_PANEL, _mm512_load_ps(sum), _mm512_load_ps(sum + 16));
            }
        }
    }
}

void ck_matmul_q4_avx512vnni(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    if (rows.end - rows.begin == 1) one_row_q4(job, rows.begin, panels);
    else many_rows(CK_Q4, job, rows, panels);
    activate_all(job, rows, panels);
}

void ck_matmul_q8_avx512vnni(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    many_rows(CK_Q8, job, rows, panels);
    activate_all(job, rows, panels);
}

#pragma clang attribute pop
#endif
