#include "ckernels.h"
#include <math.h>
#include <string.h>

void ck_pack_f32(const float *weights, size_t outputs, size_t inputs, float *packed) {
    size_t panels = (outputs + CK_PANEL - 1) / CK_PANEL;
    memset(packed, 0, panels * CK_PANEL * inputs * sizeof(float));
    for (size_t n = 0; n < outputs; n++) {
        const float *row = weights + n * inputs;
        float *column = packed + n / CK_PANEL * CK_PANEL * inputs + n % CK_PANEL;
        for (size_t k = 0; k < inputs; k++) column[k * CK_PANEL] = row[k];
    }
}

void ck_pack_s8(const float *weights, size_t outputs, size_t inputs, int8_t *packed, float *scales, int32_t *sums) {
    size_t panels = (outputs + CK_PANEL - 1) / CK_PANEL;
    size_t groups = (inputs + CK_GROUP - 1) / CK_GROUP;
    memset(packed, 0, panels * CK_PANEL * groups * CK_GROUP);
    memset(scales, 0, panels * CK_PANEL * sizeof *scales);
    memset(sums, 0, panels * CK_PANEL * sizeof *sums);
    for (size_t n = 0; n < outputs; n++) {
        const float *row = weights + n * inputs;
        int8_t *column = packed + n / CK_PANEL * CK_PANEL * groups * CK_GROUP + n % CK_PANEL * CK_GROUP;
        float largest = 0;
        for (size_t k = 0; k < inputs; k++) largest = fmaxf(largest, fabsf(row[k]));
        if (largest < 1e-30f) continue;
        scales[n] = largest / 127;
        for (size_t k = 0; k < inputs; k++) {
            int8_t value = (int8_t)lrintf(row[k] * (127 / largest));
            column[k / CK_GROUP * CK_PANEL * CK_GROUP + k % CK_GROUP] = value;
            sums[n] += value;
        }
    }
}

void ck_pack_keys(const float *rows_of_keys, size_t stride, ck_range positions, size_t head_dim, float *packed) {
    for (size_t p = positions.begin; p < positions.end; p++, rows_of_keys += stride) {
        float *column = packed + p / CK_PANEL * CK_PANEL * head_dim + p % CK_PANEL;
        for (size_t d = 0; d < head_dim; d++) column[d * CK_PANEL] = rows_of_keys[d];
    }
}

void ck_pack_values(const float *rows_of_values, size_t stride, ck_range positions, size_t head_dim, float *packed,
                    size_t capacity) {
    for (size_t p = positions.begin; p < positions.end; p++, rows_of_values += stride) {
        for (size_t d = 0; d < head_dim; d += CK_PANEL) {
            size_t width = head_dim - d < CK_PANEL ? head_dim - d : CK_PANEL;
            memcpy(packed + (d * capacity + p * CK_PANEL), rows_of_values + d, width * sizeof(float));
        }
    }
}
