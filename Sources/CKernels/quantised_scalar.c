// The definition of the quantised kernels. Integer sums are exact and floats are added in a stated order, so every variant
// of a quantised product equals this one bit for bit; products with bf16 and float rows stay within the bound of float sums.
#include "quantised.h"
#include <math.h>

void ck_quantise_scalar(const float *x, size_t stride, const ck_quantised_inputs *to, ck_range rows) {
    for (size_t m = rows.begin; m < rows.end; m++) {
        ck_input_row row = ck_input_row_at(to, m);
        for (size_t s = 0; s < ck_spans(to->inputs); s++) {
            const float *from = x + m * stride + s * CK_SPAN;
            size_t blocks = ck_blocks_of(to->inputs, s), count = blocks * CK_BLOCK;
            float largest = 0;
            for (size_t k = 0; k < count; k++) {
                if (!isfinite(from[k])) largest = INFINITY;
                else if (fabsf(from[k]) > largest) largest = fabsf(from[k]);
            }
            int usable = largest >= 1e-30f && largest < INFINITY;
            float factor = usable ? 127 / largest : 0;
            int32_t total = 0;
            for (size_t b = 0; b < blocks; b++) {
                int32_t sum = 0;
                for (size_t k = b * CK_BLOCK; k < (b + 1) * CK_BLOCK; k++) {
                    int8_t value = usable ? (int8_t)lrintf(from[k] * factor) : 0;
                    row.bytes[s * CK_SPAN + k] = value;
                    sum += value;
                }
                row.sums[s * CK_SPAN_BLOCKS + b] = sum;
                total += sum;
            }
            row.scales[s] = usable ? largest / 127 : largest < INFINITY ? 0 : NAN;
            row.offsets[s] = -128 * total;
        }
    }
}

/// The integer of a 4-bit weight.
static int weight_q4(int nibble, int step) { return (nibble - (step >> 4)) * (step & 15); }

/// The integer of a weight in the span of a panel, k counted from its start.
static int panel_q4(const uint8_t *span, size_t column, size_t k) {
    size_t block = k / CK_BLOCK, pair = k % CK_BLOCK / 8, p = k % 4;
    int byte = span[CK_Q4_HEAD + block * CK_Q4_BLOCK + (pair * CK_PANEL + column) * 4 + p];
    return weight_q4(k % 8 < 4 ? byte & 15 : byte >> 4, span[64 + (block / 4 * CK_PANEL + column) * 4 + block % 4]);
}

/// Twice the integer, as it has a half.
static int panel_q2(const uint8_t *span, size_t column, size_t k) {
    size_t block = k / CK_BLOCK, half = k % CK_BLOCK / 16, place = k % 16 / 4, p = k % 4;
    int byte = span[CK_Q4_HEAD + block * CK_Q2_BLOCK + (half * CK_PANEL + column) * 4 + p];
    int step = span[64 + (block / 4 * CK_PANEL + column) * 4 + block % 4];
    return (8 * (byte >> 2 * place & 3) + 3 - 2 * (step >> 4)) * (step & 15);
}

static int panel_q8(const uint8_t *span, size_t column, size_t k) {
    return span[CK_Q8_HEAD + (k / 4 * CK_PANEL + column) * 4 + k % 4] - 128;
}

static int panel_weight(int format, const uint8_t *span, size_t column, size_t k) {
    switch (format) {
    case CK_Q2: return panel_q2(span, column, k);
    case CK_Q4: return panel_q4(span, column, k);
    default: return panel_q8(span, column, k);
    }
}

/// The scale of what `panel_weight` gives.
static float panel_scale(int format, const uint8_t *span, size_t column) {
    float scale = ck_half(span + 2 * column);
    return format == CK_Q2 ? scale / 2 : scale;
}

static void multiply(const ck_quantised_matmul *job, ck_range rows, ck_range panels, int format) {
    size_t inputs = job->x.inputs, panel_bytes = ck_panel_bytes(format, inputs);
    size_t first = panels.begin * CK_PANEL, last = CK_MIN(panels.end * CK_PANEL, job->outputs);
    size_t span_bytes = ck_panel_bytes(format, CK_SPAN);
    for (size_t m = rows.begin; m < rows.end; m++) {
        ck_input_row x = ck_input_row_at(&job->x, m);
        float *y = job->y + m * job->y_stride;
        for (size_t n = first; n < last; n++) {
            const uint8_t *span = (const uint8_t *)job->panels + n / CK_PANEL * panel_bytes;
            size_t column = n % CK_PANEL;
            float sum = 0;
            for (size_t s = 0; s < ck_spans(inputs); s++, span += span_bytes) {
                int32_t whole = 0;
                for (size_t k = 0; k < ck_blocks_of(inputs, s) * CK_BLOCK; k++) {
                    whole += panel_weight(format, span, column, k) * x.bytes[s * CK_SPAN + k];
                }
                sum = fmaf((float)whole, panel_scale(format, span, column) * x.scales[s], sum);
            }
            if (job->bias) sum += job->bias[n];
            y[n] = job->adding ? y[n] + sum : sum;
        }
        ck_activate_scalar(y + first, last - first, job->activation);
    }
}

void ck_matmul_q4_scalar(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    multiply(job, rows, panels, CK_Q4);
}

void ck_matmul_q8_scalar(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    multiply(job, rows, panels, CK_Q8);
}

void ck_matmul_q2_scalar(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    multiply(job, rows, panels, CK_Q2);
}

void ck_copy_panel_row(int format, const void *panels, size_t inputs, size_t output, float *row) {
    const uint8_t *span = (const uint8_t *)panels + output / CK_PANEL * ck_panel_bytes(format, inputs);
    size_t column = output % CK_PANEL;
    for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(format, CK_SPAN)) {
        float scale = panel_scale(format, span, column);
        for (size_t k = 0; k < ck_blocks_of(inputs, s) * CK_BLOCK; k++) {
            row[s * CK_SPAN + k] = (float)panel_weight(format, span, column, k) * scale;
        }
    }
}

void ck_panel_steps(int format, const void *panel, size_t inputs, float *steps) {
    const uint8_t *span = panel;
    float squares[CK_PANEL] = {0};
    for (size_t s = 0; s < ck_spans(inputs); s++, span += ck_panel_bytes(format, CK_SPAN)) {
        for (size_t n = 0; n < CK_PANEL; n++) {
            int sum = 0;
            for (size_t b = 0; b < ck_blocks_of(inputs, s); b++) {
                int step = span[64 + (b / 4 * CK_PANEL + n) * 4 + b % 4] & 15;
                sum += step * step;
            }
            float scale = ck_half(span + 2 * n);
            squares[n] += (float)sum * scale * scale;
        }
    }
    for (size_t n = 0; n < CK_PANEL; n++) steps[n] = sqrtf(squares[n] / (float)(inputs / CK_BLOCK));
}

/// The integers of one span of a table's row; returns its scale.
static float row_span(const ck_row_table *table, size_t row, size_t s, int *integers) {
    const uint8_t *span = table->rows + row * ck_row_bytes(table->format, table->columns);
    span += s * ck_row_bytes(table->format, CK_SPAN);
    size_t blocks = ck_blocks_of(table->columns, s), count = blocks * CK_BLOCK;
    if (table->format == CK_Q8) {
        for (size_t k = 0; k < count; k++) integers[k] = span[k] - 128;
        return ck_half(span + count);
    }
    const uint8_t *steps = span + count / 2;
    for (size_t k = 0; k < count; k++) {
        int byte = span[k / CK_BLOCK * 16 + k % 16], nibble = k % CK_BLOCK < 16 ? byte & 15 : byte >> 4;
        integers[k] = weight_q4(nibble, steps[k / CK_BLOCK]);
    }
    return ck_half(steps + CK_SPAN_BLOCKS);
}

static float wide_element(const ck_row_table *table, size_t row, size_t k) {
    const uint8_t *bytes = table->rows + row * ck_row_bytes(table->format, table->columns);
    uint32_t bits;
    if (table->format == CK_F32) {
        bits = ck_load32(bytes + 4 * k);
    } else {
        bits = (uint32_t)bytes[2 * k] << 16 | (uint32_t)bytes[2 * k + 1] << 24;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void ck_copy_row_scalar(const ck_row_table *table, size_t row, ck_range spans, float *out) {
    if (table->format == CK_BF16 || table->format == CK_F32) {
        ck_range columns = ck_columns_of(table, spans);
        for (size_t k = columns.begin; k < columns.end; k++) *out++ = wide_element(table, row, k);
        return;
    }
    for (size_t s = spans.begin; s < spans.end; s++) {
        int integers[CK_SPAN];
        float scale = row_span(table, row, s, integers);
        for (size_t k = 0; k < ck_blocks_of(table->columns, s) * CK_BLOCK; k++) {
            *out++ = (float)integers[k] * scale;
        }
    }
}

void ck_dot_rows_scalar(const ck_row_table *table, const int32_t *indices, size_t count,
                        const ck_quantised_inputs *quantised, size_t m, const float *x, float *out) {
    for (size_t i = 0; i < count; i++) {
        float sum = 0;
        if (table->format == CK_BF16 || table->format == CK_F32) {
            for (size_t k = 0; k < table->columns; k++) sum += wide_element(table, (size_t)indices[i], k) * x[k];
        } else {
            ck_input_row inputs = ck_input_row_at(quantised, m);
            for (size_t s = 0; s < ck_spans(table->columns); s++) {
                int integers[CK_SPAN];
                int32_t whole = 0;
                float scale = row_span(table, (size_t)indices[i], s, integers);
                for (size_t k = 0; k < ck_blocks_of(table->columns, s) * CK_BLOCK; k++) {
                    whole += integers[k] * inputs.bytes[s * CK_SPAN + k];
                }
                sum = fmaf((float)whole, scale * inputs.scales[s], sum);
            }
        }
        out[i] = sum;
    }
}

void ck_dot_chosen_scalar(const ck_chosen_dots *job, ck_range rows) {
    for (size_t m = 0; m < job->count; m++) {
        ck_range places = ck_choices_within(job, m, rows);
        size_t first = m * job->stride + places.begin;
        ck_dot_rows_scalar(&job->table, job->indices + first, places.end - places.begin, &job->x, m, NULL,
                       job->out + first);
    }
}

static void add_span_q8(const uint8_t *span, size_t count, float weight, float *y) {
    float factor = weight * ck_half(span + count);
    for (size_t k = 0; k < count; k++) y[k] = fmaf(factor, (float)(span[k] - 128), y[k]);
}

/// (nibble - 8) into y; what the zeros differ from 8 into `offsets`, one per block.
static void add_span_q4(const uint8_t *span, size_t count, float weight, float *y, float *offsets) {
    const uint8_t *steps = span + count / 2;
    float scale = weight * ck_half(steps + CK_SPAN_BLOCKS);
    for (size_t k = 0; k < count; k++) {
        int byte = span[k / CK_BLOCK * 16 + k % 16], nibble = k % CK_BLOCK < 16 ? byte & 15 : byte >> 4;
        y[k] = fmaf(scale * (float)(steps[k / CK_BLOCK] & 15), (float)(nibble - 8), y[k]);
    }
    for (size_t b = 0; b < count / CK_BLOCK; b++) {
        offsets[b] = fmaf(scale * (float)(steps[b] & 15), (float)(8 - (steps[b] >> 4)), offsets[b]);
    }
}

void ck_add_rows_scalar(const ck_row_table *table, const int32_t *indices, const float *weights, size_t count,
                        ck_range spans, float *y) {
    ck_range columns = ck_columns_of(table, spans);
    float offsets[CK_MAX_QUANTISED_INPUTS / CK_BLOCK] = {0};
    int quantised = table->format == CK_Q4 || table->format == CK_Q8;
    for (size_t i = 0; i < count; i++) {
        if (!quantised) {
            for (size_t k = columns.begin; k < columns.end; k++) {
                float *to = y + (k - columns.begin);
                *to = fmaf(weights[i], wide_element(table, (size_t)indices[i], k), *to);
            }
            continue;
        }
        const uint8_t *span = table->rows + (size_t)indices[i] * ck_row_bytes(table->format, table->columns);
        span += spans.begin * ck_row_bytes(table->format, CK_SPAN);
        float *to = y, *shift = offsets;
        for (size_t s = spans.begin; s < spans.end; s++, to += CK_SPAN, shift += CK_SPAN_BLOCKS) {
            size_t cells = ck_blocks_of(table->columns, s) * CK_BLOCK;
            if (table->format == CK_Q8) add_span_q8(span, cells, weights[i], to);
            else add_span_q4(span, cells, weights[i], to, shift);
            span += ck_row_bytes(table->format, CK_SPAN);
        }
    }
    if (table->format != CK_Q4) return;
    for (size_t k = 0; k < columns.end - columns.begin; k++) y[k] += offsets[k / CK_BLOCK];
}
