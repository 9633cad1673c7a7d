#if defined(__x86_64__)
#include "quantised.h"
#include <immintrin.h>
#include <math.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "vector_avx2.h"
CK_INLINE vf v_load_bf16(const uint8_t *p) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
#include "quantised_rows.h"

enum { ROWS_AHEAD = 8 };

CK_INLINE float half_at(const uint8_t *p) { return _cvtsh_ss((unsigned short)(p[0] | p[1] << 8)); }

CK_INLINE int32_t total_of(__m256i eight) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
}

/// 16 low nibbles below 16 high ones: the order of k.
CK_INLINE __m256i block_nibbles(const uint8_t *p) {
    __m128i two = _mm_loadu_si128((const __m128i *)p);
    return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(two, 4), two), _mm256_set1_epi8(15));
}

CK_INLINE int32_t dot_span_q4(const uint8_t *span, size_t blocks, const int8_t *x, const int32_t *sums) {
    const uint8_t *steps = span + blocks * 16;
    __m256i total = _mm256_setzero_si256();
    int32_t excess = 0;
    for (size_t b = 0; b < blocks; b++) {
        int32_t step = steps[b] & 15;
        __m256i inputs = _mm256_loadu_si256((const __m256i *)(x + b * CK_BLOCK));
        __m256i pairs = _mm256_maddubs_epi16(block_nibbles(span + b * 16), inputs);
        total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs, _mm256_set1_epi16((short)step)));
        excess += step * (steps[b] >> 4) * sums[b];
    }
    return total_of(total) - excess;
}

CK_INLINE int32_t dot_span_q8(const uint8_t *span, size_t blocks, const int8_t *x, int32_t offset) {
    __m256i total = _mm256_setzero_si256();
    for (size_t k = 0; k < blocks * CK_BLOCK; k += 16) {
        __m256i weights = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(span + k)));
        __m256i inputs = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(x + k)));
        total = _mm256_add_epi32(total, _mm256_madd_epi16(weights, inputs));
    }
    return total_of(total) + offset;
}

CK_INLINE float dot_quantised(const int format, const uint8_t *row, size_t inputs, const ck_input_row *x) {
    float sum = 0;
    for (size_t s = 0; s < ck_spans(inputs); s++) {
        size_t blocks = ck_blocks_of(inputs, s), bytes = ck_row_bytes(format, blocks * CK_BLOCK);
        const int8_t *from = x->bytes + s * CK_SPAN;
        int32_t whole = format == CK_Q4 ? dot_span_q4(row, blocks, from, x->sums + s * CK_SPAN_BLOCKS)
                                        : dot_span_q8(row, blocks, from, x->offsets[s]);
        sum = fmaf((float)whole, half_at(row + bytes - 2) * x->scales[s], sum);
        row += bytes;
    }
    return sum;
}

void ck_dot_rows_avx2(const ck_row_table *table, const int32_t *indices, size_t count,
                      const ck_quantised_inputs *quantised, size_t m, const float *x, float *out) {
    ck_input_row input = {0};
    size_t bytes = ck_row_bytes(table->format, table->columns);
    if (quantised) input = ck_input_row_at(quantised, m);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = table_row(table, indices[i]);
        if (i + ROWS_AHEAD < count) prefetch_row(table_row(table, indices[i + ROWS_AHEAD]), bytes);
        switch (table->format) {
        case CK_Q4: out[i] = dot_quantised(CK_Q4, row, table->columns, &input); break;
        case CK_Q8: out[i] = dot_quantised(CK_Q8, row, table->columns, &input); break;
        default: out[i] = dot_wide(table, row, x); break;
        }
    }
}

void ck_dot_chosen_avx2(const ck_chosen_dots *job, ck_range rows) {
    for (size_t m = 0; m < job->count; m++) {
        ck_range places = ck_choices_within(job, m, rows);
        size_t first = m * job->stride + places.begin;
        ck_dot_rows_avx2(&job->table, job->indices + first, places.end - places.begin, &job->x, m, NULL, job->out + first);
    }
}

/// y += factor · (byte - zero) for 32 bytes.
CK_INLINE void add_bytes(__m256i bytes, float factor, int zero, float *y) {
    __m128i halves[2] = {_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1)};
    for (int k = 0; k < CK_BLOCK; k += 8) {
        __m128i eight = k % 16 ? _mm_unpackhi_epi64(halves[k / 16], halves[k / 16]) : halves[k / 16];
        __m256i whole = _mm256_sub_epi32(_mm256_cvtepu8_epi32(eight), _mm256_set1_epi32(zero));
        v_store(y + k, v_fma(v_set(factor), _mm256_cvtepi32_ps(whole), v_load(y + k)));
    }
}

void ck_add_rows_avx2(const ck_row_table *table, const int32_t *indices, const float *weights, size_t count,
                      ck_range spans, float *y) {
    float offsets[CK_MAX_QUANTISED_INPUTS / CK_BLOCK];
    size_t inputs = table->columns;
    ck_range columns = ck_columns_of(table, spans);
    size_t first = ck_row_bytes(table->format, columns.begin);
    size_t bytes = ck_row_bytes(table->format, columns.end - columns.begin);
    memset(offsets, 0, inputs / CK_BLOCK * sizeof *offsets);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *span = table_row(table, indices[i]);
        if (i + ROWS_AHEAD < count) prefetch_row(table_row(table, indices[i + ROWS_AHEAD]) + first, bytes);
        if (table->format == CK_BF16 || table->format == CK_F32) {
            add_wide(table, span, weights[i], columns, y);
            continue;
        }
        span += spans.begin * ck_row_bytes(table->format, CK_SPAN);
        for (size_t s = spans.begin; s < spans.end; s++) {
            size_t blocks = ck_blocks_of(inputs, s), length = ck_row_bytes(table->format, blocks * CK_BLOCK);
            float scale = weights[i] * half_at(span + length - 2), *to = y + (s - spans.begin) * CK_SPAN;
            const uint8_t *steps = span + blocks * 16; // of q4
            for (size_t b = 0; b < blocks; b++) {
                if (table->format == CK_Q8) {
                    add_bytes(_mm256_loadu_si256((const __m256i *)(span + b * CK_BLOCK)), scale, 128, to + b * CK_BLOCK);
                    continue;
                }
                float factor = scale * (float)(steps[b] & 15), *offset = offsets + (s - spans.begin) * CK_SPAN_BLOCKS + b;
                add_bytes(block_nibbles(span + b * 16), factor, 8, to + b * CK_BLOCK);
                *offset = fmaf(factor, (float)(8 - (steps[b] >> 4)), *offset);
            }
            span += length;
        }
    }
    if (table->format != CK_Q4) return;
    for (size_t k = 0; k < columns.end - columns.begin; k++) y[k] += offsets[k / CK_BLOCK];
}

void ck_copy_row_avx2(const ck_row_table *table, size_t index, ck_range spans, float *out) {
    const uint8_t *span = table_row(table, (int32_t)index);
    size_t inputs = table->columns;
    if (table->format == CK_BF16 || table->format == CK_F32) {
        ck_range columns = ck_columns_of(table, spans);
        for (size_t k = columns.begin; k < columns.end; k += VL, out += VL) v_store(out, v_load_wide(table->format, span, k));
        return;
    }
    span += spans.begin * ck_row_bytes(table->format, CK_SPAN);
    for (size_t s = spans.begin; s < spans.end; s++) {
        size_t blocks = ck_blocks_of(inputs, s), length = ck_row_bytes(table->format, blocks * CK_BLOCK);
        float scale = half_at(span + length - 2);
        for (size_t b = 0; b < blocks; b++, out += CK_BLOCK) {
            uint8_t each[CK_BLOCK];
            int step = 1, zero = 128;
            if (table->format == CK_Q4) {
                _mm256_storeu_si256((__m256i *)each, block_nibbles(span + b * 16));
                step = span[blocks * 16 + b] & 15, zero = span[blocks * 16 + b] >> 4;
            } else {
                memcpy(each, span + b * CK_BLOCK, CK_BLOCK);
            }
            for (int k = 0; k < CK_BLOCK; k += 8) {
                __m256i whole = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(each + k)));
                whole = _mm256_mullo_epi32(_mm256_sub_epi32(whole, _mm256_set1_epi32(zero)), _mm256_set1_epi32(step));
                v_store(out + k, v_mul(_mm256_cvtepi32_ps(whole), v_set(scale)));
            }
        }
        span += length;
    }
}

#pragma clang attribute pop
#endif
