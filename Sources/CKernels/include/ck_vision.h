// What a picture encoder does to pixels between its products. Included by ckernels.h.
#ifndef CK_VISION_H
#define CK_VISION_H
#include "ck_decoder.h"
#include <stddef.h>

#pragma clang assume_nonnull begin

typedef struct ck_vision_kernels {
    /// y = GELU(x / √(mean(x²) + ε) · weight) in the tanh form, for every group; `adding` is 0. A vector variant differs
    /// from the scalar one by the bound of float sums and 4e-7 of max(|y|, 1).
    void (*rms_norm_gelu)(const ck_rms_norm *job);
    /// y += x · scale over rows of `columns`; y is not x. Products and sums are rounded separately, so all variants agree.
    void (*add_scaled)(const float *x, const float *scale, float *restrict y, size_t rows, size_t columns);
} ck_vision_kernels;

#pragma clang assume_nonnull end
#endif
