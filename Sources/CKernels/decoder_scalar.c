// The definition of the decoder's kernels: plain loops.
#include "decoder.h"
#include <math.h>
#include <string.h>

void ck_rms_norm_scalar(const ck_rms_norm *job) {
    for (size_t g = 0; g < job->groups; g++) {
        const float *x = job->x + g * job->width;
        float *y = job->y + g * job->width, squares = 0;
        for (size_t i = 0; i < job->width; i++) squares += x[i] * x[i];
        float factor = 1 / sqrtf(squares / (float)job->width + job->epsilon);
        for (size_t i = 0; i < job->width; i++) {
            float value = x[i] * factor * (job->weight ? job->weight[i] : 1);
            y[i] = job->adding ? y[i] + value : value;
        }
    }
}

void ck_multiply_gelu_scalar(float *gates, const float *factors, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float x = gates[i], inner = 0.7978845608f * (x + 0.044715f * x * x * x); // √(2/π)
        gates[i] = 0.5f * x * (1 + tanhf(inner)) * factors[i];
    }
}

void ck_soft_cap_scalar(float *x, size_t n, float cap) {
    for (size_t i = 0; i < n; i++) x[i] = cap * tanhf(x[i] / cap);
}

void ck_rotate_scalar(float *x, size_t heads, const float *cosines, const float *sines, size_t half) {
    for (size_t h = 0; h < heads; h++, x += 2 * half) {
        for (size_t d = 0; d < half; d++) {
            float a = x[d], b = x[half + d];
            x[d] = a * cosines[d] - b * sines[d];
            x[half + d] = b * cosines[d] + a * sines[d];
        }
    }
}

float ck_cut_level_scalar(const float *x, size_t n, float deviations) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    return (float)(mean + sqrt(squares / (double)n) * deviations);
}

size_t ck_cut_scalar(float *x, size_t n, float cut, int32_t *indices) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        float left = x[i] - cut;
        if (!(left > 0)) continue;
        x[count] = left;
        indices[count++] = (int32_t)i;
    }
    return count;
}

void ck_mix_streams_scalar(float *const streams[CK_STREAMS], const float *coefficients, size_t n) {
    for (size_t d = 0; d < n; d++) {
        float old[CK_STREAMS];
        for (int j = 0; j < CK_STREAMS; j++) old[j] = streams[j][d];
        for (int i = 0; i < CK_STREAMS; i++) {
            float sum = 0;
            for (int j = 0; j < CK_STREAMS; j++) sum += coefficients[4 * i + j] * old[j];
            streams[i][d] = old[i] + sum;
        }
    }
}

void ck_correct_streams_scalar(float *const streams[CK_STREAMS], const float *o, const float *k, const float *scale,
                               float *scaled, size_t n) {
    for (size_t d = 0; d < n; d++) {
        float change = o[d] - streams[0][d];
        for (int i = 0; i < CK_STREAMS; i++) streams[i][d] += k[i] * change;
        scaled[d] = streams[0][d] * scale[d];
    }
}

void ck_add_three_scalar(const float *a, const float *b, const float *c, float factor, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = (a[i] + b[i] + c[i]) * factor;
}

void ck_scale_scalar(const float *x, float factor, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = x[i] * factor;
}

static uint16_t half_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x1FF)); // NaNs become quiet
    if (magnitude >= 0x477FF000) return (uint16_t)(sign | 0x7C00);                           // 65520 and more: ∞
    if (magnitude < 0x38800000) return (uint16_t)(sign | (uint32_t)lrintf(fabsf(x) * 0x1p24f)); // below 2⁻¹⁴
    return (uint16_t)(sign | ((magnitude + 0xFFF + (magnitude >> 13 & 1)) >> 13) - (112 << 10));
}

void ck_float_to_half_scalar(const float *x, uint16_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = half_of(x[i]);
}

static void row_of(const ck_grouped_attention *job, const void *rows, size_t index, float *out) {
    size_t start = (job->first + index) % job->slots * job->head_dim;
    if (job->are_halves) ck_half_to_float_scalar((const uint8_t *)rows + 2 * start, out, job->head_dim);
    else memcpy(out, (const float *)rows + start, job->head_dim * sizeof(float));
}

void ck_attend_grouped_scalar(const ck_grouped_attention *job) {
    float row[CK_MAX_HEAD_DIM];
    size_t width = job->head_dim;
    for (size_t p = 0; p < job->count; p++) {
        row_of(job, job->keys, p, row);
        for (size_t h = 0; h < job->heads; h++) {
            job->scores[h * job->count + p] = ck_dot_scalar(job->queries + h * width, row, width);
        }
    }
    for (size_t h = 0; h < job->heads; h++) ck_softmax_scalar(job->scores + h * job->count, job->count);
    memset(job->out, 0, job->heads * width * sizeof(float));
    for (size_t p = 0; p < job->count; p++) {
        row_of(job, job->values, p, row);
        for (size_t h = 0; h < job->heads; h++) {
            ck_axpy_scalar(job->scores[h * job->count + p], row, job->out + h * width, width);
        }
    }
}
