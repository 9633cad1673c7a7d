// The definition of the float kernels: plain loops. Every other variant is tested against this file.
#include "internal.h"
#include <math.h>
#include <string.h>

void ck_matmul_f32_scalar(const ck_matmul *job, ck_range rows, ck_range panels) {
    size_t first = panels.begin * CK_PANEL, last = CK_MIN(panels.end * CK_PANEL, job->outputs);
    for (size_t m = rows.begin; m < rows.end; m++) {
        const float *x = job->x + m * job->x_stride;
        float *y = job->y + m * job->y_stride;
        for (size_t n = first; n < last; n++) {
            const float *w = (const float *)job->weights + n / CK_PANEL * CK_PANEL * job->inputs + n % CK_PANEL;
            float sum = (job->adding ? y[n] : 0) + (job->bias ? job->bias[n] : 0);
            for (size_t k = 0; k < job->inputs; k++) sum += x[k] * w[k * CK_PANEL];
            y[n] = sum;
        }
        ck_activate_scalar(y + first, last - first, job->activation);
    }
}

/// How one kind of attention reads its operands.
typedef struct {
    float (*key)(const ck_attention *job, size_t position, size_t d);
    float (*value)(const ck_attention *job, size_t position, size_t d);
    float (*round)(float x);
} reading;

static void attend(const ck_attention *job, const reading *read) {
    float scores[CK_MAX_POSITIONS];
    for (size_t m = 0; m < job->rows; m++) {
        const float *query = job->queries + m * job->query_stride;
        float *out = job->out + m * job->out_stride, largest = -INFINITY, total = 0;
        size_t seen = CK_MIN(job->positions, job->visible + m);
        for (size_t p = 0; p < seen; p++) {
            float sum = 0;
            for (size_t d = 0; d < job->head_dim; d++) sum += read->round(query[d] * job->scale) * read->key(job, p, d);
            scores[p] = sum;
            largest = sum > largest ? sum : largest;
        }
        for (size_t p = 0; p < seen; p++) total += scores[p] = expf(scores[p] - largest);
        for (size_t d = 0; d < job->head_dim; d++) {
            float sum = 0;
            for (size_t p = 0; p < seen; p++) sum += read->round(scores[p]) * read->value(job, p, d);
            out[d] = sum * (1 / total);
        }
        for (size_t p = 0; job->weights && p < job->positions; p++) {
            job->weights[m * job->weights_stride + p] = p < seen ? scores[p] * (1 / total) : 0;
        }
    }
}

static float key_f32(const ck_attention *job, size_t p, size_t d) {
    return ((const float *)job->keys)[(p / CK_PANEL * job->head_dim + d) * CK_PANEL + p % CK_PANEL];
}

static float value_f32(const ck_attention *job, size_t p, size_t d) {
    return ((const float *)job->values)[(d / CK_PANEL * job->value_capacity + p) * CK_PANEL + d % CK_PANEL];
}

static float same(float x) { return x; }

void ck_attend_scalar(const ck_attention *job) { attend(job, &(reading){key_f32, value_f32, same}); }

static float widened(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float key_bf16(const ck_attention *job, size_t p, size_t d) {
    size_t pair = p / CK_PANEL * ((job->head_dim + 1) / 2) + d / 2;
    return widened(((const uint16_t *)job->keys)[(pair * CK_PANEL + p % CK_PANEL) * 2 + d % 2]);
}

static float value_bf16(const ck_attention *job, size_t p, size_t d) {
    size_t pair = d / CK_PANEL * ((job->value_capacity + 1) / 2) + p / 2;
    return widened(((const uint16_t *)job->values)[(pair * CK_PANEL + d % CK_PANEL) * 2 + p % 2]);
}

static float rounded(float x) { return widened(ck_bf16(x)); }

void ck_attend_bf16_scalar(const ck_attention *job) { attend(job, &(reading){key_bf16, value_bf16, rounded}); }

void ck_layer_norm_scalar(const ck_layer_norm *job) {
    size_t columns = job->columns;
    for (size_t m = 0; m < job->rows; m++) {
        const float *x = job->x + m * columns;
        float *y = job->y + m * columns;
        float sum = 0, squares = 0;
        for (size_t i = 0; i < columns; i++) sum += x[i];
        float mean = sum / (float)columns;
        for (size_t i = 0; i < columns; i++) squares += (x[i] - mean) * (x[i] - mean);
        float factor = 1 / sqrtf(squares / (float)columns + job->epsilon);
        for (size_t i = 0; i < columns; i++) y[i] = (x[i] - mean) * factor * job->gamma[i] + job->beta[i];
    }
}

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }

void ck_activate_scalar(float *y, size_t n, int activation) {
    for (size_t i = 0; i < n; i++) {
        switch (activation) {
        case CK_GELU: y[i] = y[i] * (0.5f * erfcf(-y[i] * 0.70710678f)); break;
        case CK_RELU: y[i] = y[i] < 0 ? 0 : y[i]; break;
        case CK_RELU6: y[i] = y[i] < 0 ? 0 : y[i] > 6 ? 6 : y[i]; break;
        case CK_SIGMOID: y[i] = sigmoid(y[i]); break;
        case CK_SILU: y[i] = y[i] / (1 + expf(-y[i])); break;
        default: break;
        }
    }
}

void ck_softmax_scalar(float *x, size_t n) {
    float largest = ck_maximum_scalar(x, n), sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] = expf(x[i] - largest);
    for (size_t i = 0; i < n; i++) x[i] *= 1 / sum;
}

float ck_maximum_scalar(const float *x, size_t n) {
    float largest = -INFINITY;
    for (size_t i = 0; i < n; i++) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

float ck_sum_of_exponentials_scalar(const float *x, size_t n, float shift) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += expf(x[i] - shift);
    return sum;
}

float ck_dot_scalar(const float *a, const float *b, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

void ck_axpy_scalar(float a, const float *x, float *restrict y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += a * x[i];
}

void ck_lstm_scalar(const float *gates, float *cell, float *hidden, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cell[i] = sigmoid(gates[n + i]) * cell[i] + sigmoid(gates[i]) * tanhf(gates[2 * n + i]);
        hidden[i] = sigmoid(gates[3 * n + i]) * tanhf(cell[i]);
    }
}

void ck_half_to_float_scalar(const uint8_t *bytes, float *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t half = bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8;
        uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 0x1F, mantissa = half & 0x3FF, bits;
        if (exponent == 0x1F) {
            bits = sign | 0x7F800000 | mantissa << 13 | (mantissa ? 0x400000 : 0); // NaNs become quiet
        } else if (exponent) {
            bits = sign | (exponent + 112) << 23 | mantissa << 13; // 112 = 127 - 15, the biases
        } else {
            float small = (float)mantissa * 0x1p-24f;
            memcpy(&bits, &small, sizeof bits);
            bits |= sign;
        }
        memcpy(out + i, &bits, sizeof bits);
    }
}
