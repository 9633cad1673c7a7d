// What the variants share: one prototype per kernel and instruction set, for the table in dispatch.c.
#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H
#include "ckernels.h"

#define CK_INLINE static inline __attribute__((always_inline))
#define CK_MIN(a, b) ((a) < (b) ? (a) : (b))

/// Asks for the lines of memory from `from` on, of which `bytes` are read soon. Any address will do.
CK_INLINE void ck_prefetch(const void *from, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)from + i, 0, 3);
}

// The activations that are two bounds: depthwise kernels apply them to sums still in registers.
CK_INLINE int ck_clamps(int activation) { return activation == CK_RELU || activation == CK_RELU6; }
CK_INLINE float ck_low(int activation) { return ck_clamps(activation) ? 0 : -__builtin_inff(); }
CK_INLINE float ck_high(int activation) { return activation == CK_RELU6 ? 6 : __builtin_inff(); }

/// The nearest bfloat16, ties to even; a NaN stays one.
CK_INLINE uint16_t ck_bf16(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : rounded);
}

#define CK_DECLARE_FLOAT(variant)                                                                  \
    void ck_matmul_f32_##variant(const ck_matmul *job, ck_range rows, ck_range panels);            \
    void ck_attend_##variant(const ck_attention *job);                                             \
    void ck_layer_norm_##variant(const ck_layer_norm *job);                                        \
    void ck_activate_##variant(float *y, size_t n, int activation);                                \
    void ck_softmax_##variant(float *x, size_t n);                                                 \
    float ck_maximum_##variant(const float *x, size_t n);                                          \
    float ck_sum_of_exponentials_##variant(const float *x, size_t n, float shift);                 \
    float ck_dot_##variant(const float *a, const float *b, size_t n);                              \
    void ck_axpy_##variant(float a, const float *x, float *restrict y, size_t n);                  \
    void ck_lstm_##variant(const float *gates, float *cell, float *hidden, size_t n);              \
    void ck_half_to_float_##variant(const uint8_t *bytes, float *out, size_t n);                   \
    void ck_depthwise_##variant(const ck_depthwise *job, ck_range rows);
#define CK_DECLARE_INT8(variant) \
    void ck_matmul_s8_##variant(const ck_matmul *job, ck_range rows, ck_range panels);

CK_DECLARE_FLOAT(scalar)
CK_DECLARE_FLOAT(avx2)
CK_DECLARE_FLOAT(avx512)
void ck_attend_bf16_scalar(const ck_attention *job);
void ck_attend_bf16_avx512(const ck_attention *job);
CK_DECLARE_INT8(scalar)
CK_DECLARE_INT8(avx2)
CK_DECLARE_INT8(avx512vnni)

#endif
