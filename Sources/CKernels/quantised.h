// What the variants of the quantised kernels share: where things lie.
#ifndef CK_QUANTISED_INTERNAL_H
#define CK_QUANTISED_INTERNAL_H
#include "internal.h"
#include <string.h>

/// One row of quantised inputs.
typedef struct {
    int8_t *bytes;        // [K]
    float *scales;        // [spans]
    int32_t *offsets;     // [spans]: -128·Σ bytes
    int32_t *sums;        // [K/32]: Σ bytes
} ck_input_row;

CK_INLINE size_t ck_spans(size_t inputs) { return (inputs + CK_SPAN - 1) / CK_SPAN; }

CK_INLINE ck_input_row ck_input_row_at(const ck_quantised_inputs *x, size_t row) {
    uint8_t *bytes = (uint8_t *)x->rows + row * x->stride;
    size_t spans = ck_spans(x->inputs);
    float *scales = (float *)(bytes + (x->inputs + 63) / 64 * 64);
    int32_t *offsets = (int32_t *)(scales + spans);
    return (ck_input_row){(int8_t *)bytes, scales, offsets, offsets + spans};
}

/// Blocks in span `s`.
CK_INLINE size_t ck_blocks_of(size_t inputs, size_t s) {
    return CK_MIN(inputs - s * CK_SPAN, (size_t)CK_SPAN) / CK_BLOCK;
}

/// The columns of some spans.
CK_INLINE ck_range ck_columns_of(const ck_row_table *table, ck_range spans) {
    return (ck_range){spans.begin * CK_SPAN, CK_MIN(spans.end * CK_SPAN, table->columns)};
}

enum {
    CK_Q4_HEAD = 320,               // of a panel's span: scales and steps
    CK_Q4_BLOCK = CK_PANEL * 16,    // bytes of one block of a panel
    CK_Q2_BLOCK = CK_PANEL * 8,     // behind a head like q4's
    CK_Q8_HEAD = 64,
    CK_Q8_BLOCK = CK_PANEL * CK_BLOCK,
};

CK_INLINE uint32_t ck_load32(const void *p) {
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

CK_INLINE float ck_half(const void *p) {
    float value;
    ck_half_to_float_scalar(p, &value, 1);
    return value;
}

/// Which of the choices of input row m lie within `rows`.
CK_INLINE ck_range ck_choices_within(const ck_chosen_dots *job, size_t m, ck_range rows) {
    const int32_t *indices = job->indices + m * job->stride;
    size_t ends[2], bounds[2] = {rows.begin, rows.end};
    for (int e = 0; e < 2; e++) {
        size_t low = 0, high = job->chosen[m];
        while (low < high) {
            size_t middle = (low + high) / 2;
            if ((size_t)indices[middle] < bounds[e]) low = middle + 1;
            else high = middle;
        }
        ends[e] = low;
    }
    return (ck_range){ends[0], ends[1]};
}

#define CK_DECLARE_QUANTISED(variant)                                                                                   \
    void ck_quantise_##variant(const float *x, size_t stride, const ck_quantised_inputs *to, ck_range rows);            \
    void ck_matmul_q4_##variant(const ck_quantised_matmul *job, ck_range rows, ck_range panels);                        \
    void ck_matmul_q8_##variant(const ck_quantised_matmul *job, ck_range rows, ck_range panels);                        \
    void ck_matmul_q2_##variant(const ck_quantised_matmul *job, ck_range rows, ck_range panels);                        \
    void ck_copy_row_##variant(const ck_row_table *table, size_t row, ck_range spans, float *out);                      \
    void ck_dot_rows_##variant(const ck_row_table *table, const int32_t *indices, size_t count,                         \
                               const ck_quantised_inputs *quantised, size_t m, const float *x, float *out);             \
    void ck_dot_chosen_##variant(const ck_chosen_dots *job, ck_range rows);                                             \
    void ck_add_rows_##variant(const ck_row_table *table, const int32_t *indices, const float *weights, size_t count,   \
                               ck_range spans, float *y);

CK_DECLARE_QUANTISED(scalar)
CK_DECLARE_QUANTISED(avx2)
CK_DECLARE_QUANTISED(avx512vnni)

#endif
