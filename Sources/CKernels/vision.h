// Prototypes of the picture kernels, for the table in dispatch.c.
#ifndef CK_VISION_INTERNAL_H
#define CK_VISION_INTERNAL_H
#include "internal.h"

#define CK_DECLARE_VISION(variant)                                                                     \
    void ck_rms_norm_gelu_##variant(const ck_rms_norm *job);                                           \
    void ck_add_scaled_##variant(const float *x, const float *scale, float *restrict y, size_t rows,   \
                                 size_t columns);

CK_DECLARE_VISION(scalar)
CK_DECLARE_VISION(avx2)
CK_DECLARE_VISION(avx512)

#endif
