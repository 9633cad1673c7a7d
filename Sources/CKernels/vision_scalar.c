// The definition of the picture kernels: plain loops.
#include "vision.h"
#include <math.h>

void ck_rms_norm_gelu_scalar(const ck_rms_norm *job) {
    for (size_t g = 0; g < job->groups; g++) {
        const float *x = job->x + g * job->width;
        float *y = job->y + g * job->width, squares = 0;
        for (size_t i = 0; i < job->width; i++) squares += x[i] * x[i];
        float factor = 1 / sqrtf(squares / (float)job->width + job->epsilon);
        for (size_t i = 0; i < job->width; i++) {
            float v = x[i] * factor * (job->weight ? job->weight[i] : 1);
            float inner = 0.7978845608f * (v + 0.044715f * v * v * v); // √(2/π)
            y[i] = 0.5f * v * (1 + tanhf(inner));
        }
    }
}

void ck_add_scaled_scalar(const float *x, const float *scale, float *restrict y, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++, x += columns, y += columns) {
        for (size_t i = 0; i < columns; i++) y[i] += x[i] * scale[i];
    }
}
