#if defined(__x86_64__)
#include "quantised.h"
#include <immintrin.h>
#include <math.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c"))), \
                             apply_to = function)

#include "vector_avx512.h"
CK_INLINE vf v_load_bf16(const uint8_t *p) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
#include "quantised_rows.h"

enum { ROWS_AHEAD = 3, ROWS_TOGETHER = 16 };

CK_INLINE __mmask64 first_bytes(size_t n) { return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1; }
CK_INLINE __mmask8 first_eight(size_t n) { return (__mmask8)((1u << n) - 1); }

/// Steps and zeros of a span's blocks, 32 bits each.
CK_INLINE void load_steps(const uint8_t *bytes, __m256i *step, __m256i *zero) {
    __m256i both = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes));
    *step = _mm256_and_si256(both, _mm256_set1_epi32(15));
    *zero = _mm256_srli_epi32(both, 4);
}

/// Lanes 4i...4i+3: block 4·part + i.
CK_INLINE __m512i block_lanes(int part) {
    __m512i lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    return _mm512_add_epi32(lane, _mm512_set1_epi32(4 * part));
}

/// Partial sums of a span of (nibble - zero) · step · x.
CK_INLINE __m512i dot_span_q4(const uint8_t *span, size_t blocks, const int8_t *split, const int32_t *sums) {
    const __m512i low = _mm512_set1_epi8(15);
    __m256i step, zero, inputs = _mm256_maskz_loadu_epi32(first_eight(blocks), sums);
    load_steps(span + blocks * 16, &step, &zero);
    __m256i excess = _mm256_mullo_epi32(_mm256_mullo_epi32(zero, step), inputs);
    __m512i total = _mm512_zextsi256_si512(_mm256_sub_epi32(_mm256_setzero_si256(), excess));
    for (int part = 0; part < 2; part++) {
        if (blocks <= (size_t)part * 4) break;
        __m512i two = _mm512_maskz_loadu_epi8(first_bytes((blocks - (size_t)part * 4) * 16), span + part * 64);
        const int8_t *x = split + part * 128;
        __m512i sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_and_si512(two, low), _mm512_loadu_si512(x));
        two = _mm512_and_si512(_mm512_srli_epi16(two, 4), low);
        sum = _mm512_dpbusd_epi32(sum, two, _mm512_loadu_si512(x + 64)); // at most 8 · 15 · 127: 16 bits
        __m512i steps = _mm512_permutexvar_epi32(block_lanes(part), _mm512_castsi256_si512(step));
        total = _mm512_dpwssd_epi32(total, sum, steps);
    }
    return total;
}

CK_INLINE __m512i dot_span_q8(const uint8_t *span, size_t blocks, const int8_t *x, int32_t offset) {
    __m512i total = _mm512_zextsi128_si512(_mm_cvtsi32_si128(offset));
    for (size_t k = 0; k < blocks * CK_BLOCK; k += 64) {
        __mmask64 mask = first_bytes(blocks * CK_BLOCK - k);
        total = _mm512_dpbusd_epi32(total, _mm512_maskz_loadu_epi8(mask, span + k), _mm512_maskz_loadu_epi8(mask, x + k));
    }
    return total;
}

/// The eight totals, one per lane.
CK_INLINE __m256i eight_totals(const __m512i *totals) {
    __m256i t[8];
    for (int i = 0; i < 8; i++) {
        t[i] = _mm256_add_epi32(_mm512_castsi512_si256(totals[i]), _mm512_extracti64x4_epi64(totals[i], 1));
    }
    __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(t[0], t[1]), _mm256_hadd_epi32(t[2], t[3]));
    __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(t[4], t[5]), _mm256_hadd_epi32(t[6], t[7]));
    return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
}

/// Adds the totals of up to eight spans to `sum`, in their order.
CK_INLINE float add_spans(float sum, const __m512i totals[8], size_t count, __m256 scales) {
    float factors[8], wholes[8];
    _mm256_storeu_ps(factors, scales);
    _mm256_storeu_ps(wholes, _mm256_cvtepi32_ps(eight_totals(totals)));
    for (size_t i = 0; i < count; i++) sum = fmaf(wholes[i], factors[i], sum);
    return sum;
}

CK_INLINE float dot_quantised(const int format, const uint8_t *row, size_t inputs, const int8_t *x,
                              const ck_input_row *input) {
    size_t spans = ck_spans(inputs), span_bytes = ck_row_bytes(format, CK_SPAN);
    float sum = 0;
    for (size_t s = 0; s < spans; s += 8) {
        size_t count = CK_MIN(spans - s, (size_t)8);
        __m512i totals[8];
        uint16_t halves[8] = {0};
        for (size_t i = 0; i < 8; i++) totals[i] = _mm512_setzero_si512();
        for (size_t i = 0; i < count; i++) {
            const uint8_t *span = row + (s + i) * span_bytes;
            size_t blocks = ck_blocks_of(inputs, s + i), bytes = ck_row_bytes(format, blocks * CK_BLOCK);
            const int8_t *from = x + (s + i) * CK_SPAN;
            totals[i] = format == CK_Q4 ? dot_span_q4(span, blocks, from, input->sums + (s + i) * CK_SPAN_BLOCKS)
                                        : dot_span_q8(span, blocks, from, input->offsets[s + i]);
            memcpy(halves + i, span + bytes - 2, 2);
        }
        __m256 scales = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)halves));
        scales = _mm256_mul_ps(scales, _mm256_maskz_loadu_ps(first_eight(count), input->scales + s));
        sum = add_spans(sum, totals, count, scales);
    }
    return sum;
}

void ck_dot_rows_avx512vnni(const ck_row_table *table, const int32_t *indices, size_t count,
                            const ck_quantised_inputs *quantised, size_t m, const float *x, float *out) {
    int8_t split[CK_MAX_QUANTISED_INPUTS + 128];
    ck_input_row input = {0};
    size_t inputs = table->columns, bytes = ck_row_bytes(table->format, inputs);
    if (quantised) input = ck_input_row_at(quantised, m);
    if (table->format == CK_Q4) split_blocks(input.bytes, inputs, split);
    for (size_t i = 0; i < CK_MIN(count, (size_t)ROWS_AHEAD); i++) prefetch_row(table_row(table, indices[i]), bytes);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = table_row(table, indices[i]);
        if (i + ROWS_AHEAD < count) prefetch_row(table_row(table, indices[i + ROWS_AHEAD]), bytes);
        switch (table->format) {
        case CK_Q4: out[i] = dot_quantised(CK_Q4, row, inputs, split, &input); break;
        case CK_Q8: out[i] = dot_quantised(CK_Q8, row, inputs, input.bytes, &input); break;
        default: out[i] = dot_wide(table, row, x); break;
        }
    }
}

// Several rows of inputs: a row of the table is unpacked to bytes once for all that chose it.

enum { CHOOSERS = 256 }; // rows of inputs at a time: with 2048 inputs half an L2

typedef struct {
    _Alignas(64) uint8_t bytes[CK_MAX_QUANTISED_INPUTS];
    float scales[CK_MAX_QUANTISED_INPUTS / CK_SPAN];
} unpacked_row;

CK_INLINE void unpack_span_q4(const uint8_t *span, size_t blocks, uint8_t *out) {
    const __m512i low = _mm512_set1_epi8(15), eighth = _mm512_set1_epi64(0x0101010101010101);
    const __m512i in_order[2] = {_mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15)};
    __m512i steps = _mm512_mullo_epi64(_mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(span + blocks * 16))), eighth);
    __m512i step = _mm512_and_si512(steps, low), zero = _mm512_and_si512(_mm512_srli_epi16(steps, 4), low);
    step = _mm512_and_si512(step, _mm512_set1_epi16(255));
    zero = _mm512_mullo_epi16(zero, step); // no carry: zero · step ≤ 128
    zero = _mm512_sub_epi8(_mm512_set1_epi8((char)128), zero);
    for (size_t part = 0; part * 4 < blocks; part++) {
        __m512i two = _mm512_maskz_loadu_epi8(first_bytes((blocks - part * 4) * 16), span + part * 64);
        __m512i lows = _mm512_and_si512(two, low), highs = _mm512_and_si512(_mm512_srli_epi16(two, 4), low);
        for (size_t j = 0; j < 2; j++) {
            size_t block = part * 4 + j * 2;
            if (block >= blocks) break;
            __m512i lane = _mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1);
            lane = _mm512_add_epi64(lane, _mm512_set1_epi64((long long)block));
            __m512i nibbles = _mm512_permutex2var_epi64(lows, in_order[j], highs);
            nibbles = _mm512_mullo_epi16(nibbles, _mm512_permutexvar_epi64(lane, step));
            __mmask64 mask = first_bytes((blocks - block) * CK_BLOCK);
            nibbles = _mm512_add_epi8(nibbles, _mm512_permutexvar_epi64(lane, zero));
            _mm512_mask_storeu_epi8(out + block * CK_BLOCK, mask, nibbles);
        }
    }
}

static void unpack_row(const ck_row_table *table, size_t row, unpacked_row *to) {
    const uint8_t *span = table_row(table, (int32_t)row);
    for (size_t s = 0; s < ck_spans(table->columns); s++) {
        size_t blocks = ck_blocks_of(table->columns, s), bytes = ck_row_bytes(table->format, blocks * CK_BLOCK);
        if (table->format == CK_Q4) unpack_span_q4(span, blocks, to->bytes + s * CK_SPAN);
        else memcpy(to->bytes + s * CK_SPAN, span, blocks * CK_BLOCK);
        to->scales[s] = _cvtsh_ss((unsigned short)(span[bytes - 2] | span[bytes - 1] << 8));
        span += bytes;
    }
}

CK_INLINE __m512i dot_unpacked_span(const unpacked_row *row, size_t s, size_t blocks, const ck_input_row *x) {
    return dot_span_q8(row->bytes + s * CK_SPAN, blocks, x->bytes + s * CK_SPAN, x->offsets[s]);
}

CK_INLINE float dot_unpacked(const unpacked_row *row, size_t inputs, const ck_input_row *x) {
    size_t spans = ck_spans(inputs);
    float sum = 0;
    for (size_t s = 0; s < spans; s += 8) {
        size_t count = CK_MIN(spans - s, (size_t)8);
        __m512i totals[8];
        if (inputs >= (s + 8) * CK_SPAN) { // whole spans need no masks
            for (size_t i = 0; i < 8; i++) totals[i] = dot_unpacked_span(row, s + i, CK_SPAN_BLOCKS, x);
        } else {
            for (size_t i = 0; i < 8; i++) totals[i] = _mm512_setzero_si512();
            for (size_t i = 0; i < count; i++) totals[i] = dot_unpacked_span(row, s + i, ck_blocks_of(inputs, s + i), x);
        }
        __mmask8 mask = first_eight(count);
        __m256 scales = _mm256_maskz_loadu_ps(mask, row->scales + s);
        sum = add_spans(sum, totals, count, _mm256_mul_ps(scales, _mm256_maskz_loadu_ps(mask, x->scales + s)));
    }
    return sum;
}

static void dot_chosen(const ck_chosen_dots *job, ck_range rows, ck_range inputs) {
    _Alignas(64) int32_t next[CHOOSERS]; // the next choice of each
    size_t places[CHOOSERS], count = inputs.end - inputs.begin;
    unpacked_row row;
    const int32_t *indices = job->indices + inputs.begin * job->stride;
    for (size_t i = 0; i < CHOOSERS; i++) {
        next[i] = INT32_MAX;
        if (i >= count) continue;
        places[i] = ck_choices_within(job, inputs.begin + i, rows).begin;
        if (places[i] < job->chosen[inputs.begin + i]) next[i] = indices[i * job->stride + places[i]];
    }
    for (size_t r = rows.begin; r < rows.end; r++) {
        int unpacked = 0;
        for (size_t i = 0; i < count; i += 16) {
            unsigned hits = _mm512_cmpeq_epi32_mask(_mm512_load_si512(next + i), _mm512_set1_epi32((int)r));
            for (; hits; hits &= hits - 1) {
                size_t one = i + (size_t)__builtin_ctz(hits), m = inputs.begin + one, place = places[one]++;
                if (!unpacked) unpack_row(&job->table, r, &row), unpacked = 1;
                ck_input_row x = ck_input_row_at(&job->x, m);
                job->out[m * job->stride + place] = dot_unpacked(&row, job->table.columns, &x);
                next[one] = place + 1 < job->chosen[m] ? indices[one * job->stride + place + 1] : INT32_MAX;
            }
        }
    }
}

void ck_dot_chosen_avx512vnni(const ck_chosen_dots *job, ck_range rows) {
    for (size_t m = 0; m < job->count; m += CHOOSERS) {
        dot_chosen(job, rows, (ck_range){m, CK_MIN(m + CHOOSERS, job->count)});
    }
}

/// Where number i of block b lies among the nibbles: nibble j of lane l of a part of 128 is byte 4l + j/2.
CK_INLINE size_t nibble_place(size_t block, size_t i) {
    size_t lane = block % 4 * 4 + i % 16 / 4, j = i % 4 * 2 + i / 16;
    return block / 4 * 128 + j * 16 + lane;
}

static void add_rows_q4(const ck_row_table *table, const int32_t *indices, const float *weights, size_t count,
                        ck_range range, float *y) {
    // y as the nibbles lie, so that a shift and a look-up give 16 of them in place.
    _Alignas(64) float sums[CK_MAX_QUANTISED_INPUTS + CK_SPAN];
    _Alignas(64) float offsets[CK_MAX_QUANTISED_INPUTS / CK_BLOCK + CK_SPAN_BLOCKS];
    const __m512 values = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    ck_range columns = ck_columns_of(table, range);
    size_t width = columns.end - columns.begin, spans = range.end - range.begin;
    memset(offsets, 0, spans * CK_SPAN_BLOCKS * sizeof(float));
    memset(sums + spans * CK_SPAN - CK_SPAN, 0, CK_SPAN * sizeof(float)); // the last span may have gaps
    for (size_t k = 0; k < width; k++) sums[nibble_place(k / CK_BLOCK, k % CK_BLOCK)] = y[k];
    for (size_t first = 0; first < count; first += ROWS_TOGETHER) {
        size_t last = CK_MIN(first + ROWS_TOGETHER, count);
        for (size_t s = 0; s < spans; s++) {
            size_t blocks = ck_blocks_of(table->columns, range.begin + s);
            size_t at = (range.begin + s) * ck_row_bytes(CK_Q4, CK_SPAN);
            __mmask64 masks[2] = {first_bytes(blocks * 16), blocks > 4 ? first_bytes(blocks * 16 - 64) : 0};
            __m512 total[16];
            __m256 offset = _mm256_load_ps(offsets + s * CK_SPAN_BLOCKS);
#pragma clang loop unroll(full)
            for (int v = 0; v < 16; v++) total[v] = _mm512_load_ps(sums + s * CK_SPAN + v * 16);
            for (size_t i = first; i < last; i++) {
                if (i + ROWS_TOGETHER < count) {
                    const uint8_t *next = table_row(table, indices[i + ROWS_TOGETHER]) + at;
                    for (int line = 0; line < 3; line++) _mm_prefetch((const char *)next + line * 64, _MM_HINT_T0);
                }
                const uint8_t *span = table_row(table, indices[i]) + at, *steps = span + blocks * 16;
                __m256i step, zero;
                load_steps(steps, &step, &zero);
                __m256 scale = _mm256_set1_ps(weights[i] * _cvtsh_ss((unsigned short)(steps[8] | steps[9] << 8)));
                __m256 factors = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(step));
                __m256 shifts = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_set1_epi32(8), zero));
                offset = _mm256_fmadd_ps(factors, shifts, offset);
#pragma clang loop unroll(full)
                for (int part = 0; part < 2; part++) {
                    __m512 factor = _mm512_permutexvar_ps(block_lanes(part), _mm512_castps256_ps512(factors));
                    __m512i nibbles = _mm512_maskz_loadu_epi8(masks[part], span + part * 64);
#pragma clang loop unroll(full)
                    for (int j = 0; j < 8; j++) {
                        __m512 value = _mm512_permutexvar_ps(_mm512_srli_epi32(nibbles, (unsigned)(4 * j)), values);
                        total[part * 8 + j] = _mm512_fmadd_ps(factor, value, total[part * 8 + j]);
                    }
                }
            }
            _mm256_store_ps(offsets + s * CK_SPAN_BLOCKS, offset);
#pragma clang loop unroll(full)
            for (int v = 0; v < 16; v++) _mm512_store_ps(sums + s * CK_SPAN + v * 16, total[v]);
        }
    }
    for (size_t k = 0; k < width; k++) {
        y[k] = sums[nibble_place(k / CK_BLOCK, k % CK_BLOCK)] + offsets[k / CK_BLOCK];
    }
}

static void add_row_q8(const uint8_t *row, size_t inputs, float weight, ck_range spans, float *y) {
    const __m512i middle = _mm512_set1_epi32(128);
    row += spans.begin * ck_row_bytes(CK_Q8, CK_SPAN);
    for (size_t s = spans.begin; s < spans.end; s++) {
        size_t cells = ck_blocks_of(inputs, s) * CK_BLOCK;
        __m512 factor = _mm512_set1_ps(weight * _cvtsh_ss((unsigned short)(row[cells] | row[cells + 1] << 8)));
        for (size_t k = 0; k < cells; k += 16) {
            __m512i byte = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(row + k)));
            __m512 value = _mm512_cvtepi32_ps(_mm512_sub_epi32(byte, middle));
            _mm512_storeu_ps(y + k, _mm512_fmadd_ps(factor, value, _mm512_loadu_ps(y + k)));
        }
        row += cells + 2;
        y += cells;
    }
}

void ck_add_rows_avx512vnni(const ck_row_table *table, const int32_t *indices, const float *weights, size_t count,
                            ck_range spans, float *y) {
    size_t bytes = ck_row_bytes(table->format, table->columns);
    if (table->format == CK_Q4) {
        add_rows_q4(table, indices, weights, count, spans, y);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = table_row(table, indices[i]);
        if (i + ROWS_AHEAD < count) prefetch_row(table_row(table, indices[i + ROWS_AHEAD]), bytes);
        if (table->format == CK_Q8) add_row_q8(row, table->columns, weights[i], spans, y);
        else add_wide(table, row, weights[i], ck_columns_of(table, spans), y);
    }
}

void ck_copy_row_avx512vnni(const ck_row_table *table, size_t index, ck_range spans, float *out) {
    const uint8_t *row = table_row(table, (int32_t)index);
    size_t inputs = table->columns;
    if (table->format == CK_BF16 || table->format == CK_F32) {
        ck_range columns = ck_columns_of(table, spans);
        for (size_t k = columns.begin; k < columns.end; k += VL, out += VL) v_store(out, v_load_wide(table->format, row, k));
        return;
    }
    row += spans.begin * ck_row_bytes(table->format, CK_SPAN);
    for (size_t s = spans.begin; s < spans.end; s++) {
        size_t blocks = ck_blocks_of(inputs, s), bytes = ck_row_bytes(table->format, blocks * CK_BLOCK);
        const uint8_t *steps = row + blocks * 16; // of q4
        __m512 scale = _mm512_set1_ps(_cvtsh_ss((unsigned short)(row[bytes - 2] | row[bytes - 1] << 8)));
        for (size_t v = 0; v < blocks * 2; v++, out += 16) {
            __m512i whole;
            if (table->format == CK_Q4) {
                __m128i two = _mm_loadu_si128((const __m128i *)(row + v / 2 * 16));
                __m512i nibble = _mm512_cvtepu8_epi32(v % 2 ? _mm_srli_epi16(two, 4) : two);
                nibble = _mm512_and_si512(nibble, _mm512_set1_epi32(15));
                int step = steps[v / 2] & 15, zero = steps[v / 2] >> 4;
                whole = _mm512_mullo_epi32(_mm512_sub_epi32(nibble, _mm512_set1_epi32(zero)), _mm512_set1_epi32(step));
            } else {
                __m512i byte = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(row + v * 16)));
                whole = _mm512_sub_epi32(byte, _mm512_set1_epi32(128));
            }
            _mm512_storeu_ps(out, _mm512_mul_ps(_mm512_cvtepi32_ps(whole), scale));
        }
        row += bytes;
    }
}

#pragma clang attribute pop
#endif
