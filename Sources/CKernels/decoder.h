// Prototypes of the decoder's kernels, for the table in dispatch.c.
#ifndef CK_DECODER_INTERNAL_H
#define CK_DECODER_INTERNAL_H
#include "internal.h"

#define CK_DECLARE_DECODER(variant)                                                                                    \
    void ck_rms_norm_##variant(const ck_rms_norm *job);                                                                \
    void ck_multiply_gelu_##variant(float *gates, const float *factors, size_t n);                                     \
    void ck_soft_cap_##variant(float *x, size_t n, float cap);                                                         \
    void ck_rotate_##variant(float *x, size_t heads, const float *cosines, const float *sines, size_t half);           \
    float ck_cut_level_##variant(const float *x, size_t n, float deviations);                                          \
    size_t ck_cut_##variant(float *x, size_t n, float cut, int32_t *indices);                                          \
    void ck_mix_streams_##variant(float *const streams[CK_STREAMS], const float *coefficients, size_t n);              \
    void ck_correct_streams_##variant(float *const streams[CK_STREAMS], const float *o, const float *k,                \
                                      const float *scale, float *scaled, size_t n);                                    \
    void ck_add_three_##variant(const float *a, const float *b, const float *c, float factor, float *y, size_t n);     \
    void ck_scale_##variant(const float *x, float factor, float *y, size_t n);                                         \
    void ck_float_to_half_##variant(const float *x, uint16_t *out, size_t n);                                          \
    void ck_attend_grouped_##variant(const ck_grouped_attention *job);

CK_DECLARE_DECODER(scalar)
CK_DECLARE_DECODER(avx2)
CK_DECLARE_DECODER(avx512)

#endif
