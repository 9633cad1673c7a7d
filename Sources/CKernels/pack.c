#include "internal.h"
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

void ck_pack_keys(const float *keys, size_t stride, ck_range positions, size_t head_dim, float *packed) {
    for (size_t p = positions.begin; p < positions.end; p++, keys += stride) {
        float *column = packed + p / CK_PANEL * CK_PANEL * head_dim + p % CK_PANEL;
        for (size_t d = 0; d < head_dim; d++) column[d * CK_PANEL] = keys[d];
    }
}

void ck_pack_keys_bf16(const float *keys, size_t stride, ck_range positions, size_t head_dim, uint16_t *packed) {
    size_t pairs = (head_dim + 1) / 2;
    for (size_t p = positions.begin; p < positions.end; p++, keys += stride) {
        uint16_t *column = packed + (p / CK_PANEL * CK_PANEL * pairs + p % CK_PANEL) * 2;
        uint16_t row[CK_MAX_HEAD_DIM + 1];
        for (size_t d = 0; d < head_dim; d++) row[d] = ck_bf16(keys[d]); // contiguous, so the compiler vectorises it
        row[head_dim] = 0;
        for (size_t pair = 0; pair < pairs; pair++) memcpy(column + pair * CK_PANEL * 2, row + 2 * pair, 4);
    }
}

void ck_pack_values(const float *values, size_t stride, ck_range positions, size_t head_dim, float *packed,
                    size_t capacity) {
    for (size_t p = positions.begin; p < positions.end; p++, values += stride) {
        for (size_t d = 0; d < head_dim; d += CK_PANEL) {
            size_t width = CK_MIN(head_dim - d, (size_t)CK_PANEL);
            memcpy(packed + d * capacity + p * CK_PANEL, values + d, width * sizeof(float));
        }
    }
}

void ck_pack_values_bf16(const float *values, size_t stride, ck_range positions, size_t head_dim, uint16_t *packed,
                         size_t capacity) {
    size_t pairs = (capacity + 1) / 2;
    for (size_t p = positions.begin; p < positions.end;) {
        size_t count = p % 2 == 0 && p + 1 < positions.end ? 2 : 1;
        for (size_t d = 0; d < head_dim; d += CK_PANEL) {
            size_t width = CK_MIN(head_dim - d, (size_t)CK_PANEL);
            uint16_t *both = packed + (d / CK_PANEL * pairs + p / 2) * CK_PANEL * 2;
            if (count == 2) {
                for (size_t i = 0; i < width; i++) {
                    both[2 * i] = ck_bf16(values[d + i]);
                    both[2 * i + 1] = ck_bf16(values[stride + d + i]);
                }
            } else {
                for (size_t i = 0; i < width; i++) {
                    both[2 * i + p % 2] = ck_bf16(values[d + i]);
                    if (p % 2 == 0) both[2 * i + 1] = 0; // read, times zero, while the second one is missing
                }
            }
        }
        p += count;
        values += count * stride;
    }
}
