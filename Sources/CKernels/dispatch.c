#include "decoder.h"
#include "quantised.h"
#include "vision.h"

#define QUANTISED(variant)                                                                                        \
    {                                                                                                             \
        ck_quantise_##variant, ck_matmul_q4_##variant, ck_matmul_q8_##variant, ck_matmul_q2_##variant,            \
            ck_copy_row_##variant, ck_dot_rows_##variant, ck_dot_chosen_##variant, ck_add_rows_##variant          \
    }
#define ck_matmul_q2_avx512vnni ck_matmul_q2_avx2 // half the bytes of q4: memory is what it waits for
#define DECODER(variant)                                                                                          \
    {                                                                                                             \
        ck_rms_norm_##variant, ck_multiply_gelu_##variant, ck_soft_cap_##variant, ck_rotate_##variant,            \
            ck_cut_level_##variant, ck_cut_##variant, ck_mix_streams_##variant, ck_correct_streams_##variant,     \
            ck_add_three_##variant, ck_scale_##variant, ck_float_to_half_##variant, ck_attend_grouped_##variant   \
    }
#define VISION(variant) {ck_rms_norm_gelu_##variant, ck_add_scaled_##variant}
#define ROW(label, floats, integers, halves)                                                                      \
    {                                                                                                             \
        .name = label, .matmul_f32 = ck_matmul_f32_##floats, .matmul_s8 = ck_matmul_s8_##integers,                \
        .attend = ck_attend_##floats, .attend_bf16 = halves, .layer_norm = ck_layer_norm_##floats,                \
        .activate = ck_activate_##floats, .softmax = ck_softmax_##floats, .maximum = ck_maximum_##floats,         \
        .sum_of_exponentials = ck_sum_of_exponentials_##floats, .dot = ck_dot_##floats, .axpy = ck_axpy_##floats, \
        .lstm = ck_lstm_##floats, .half_to_float = ck_half_to_float_##floats,                                     \
        .quantised = QUANTISED(integers), .decoder = DECODER(floats),                                             \
        .depthwise = ck_depthwise_##floats, .vision = VISION(floats),                                             \
    }

static const ck_kernels table[] = {
    [CK_SCALAR] = ROW("scalar", scalar, scalar, ck_attend_bf16_scalar),
#if defined(__x86_64__)
    [CK_AVX2] = ROW("avx2", avx2, avx2, NULL),
    [CK_AVX512] = ROW("avx512", avx512, avx2, NULL),
    [CK_AVX512VNNI] = ROW("avx512vnni", avx512, avx512vnni, NULL),
    [CK_AVX512BF16] = ROW("avx512bf16", avx512, avx512vnni, ck_attend_bf16_avx512),
#endif
};

#if defined(__x86_64__)
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static int has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
#endif

const ck_kernels *ck_kernels_for(int instruction_set) {
    switch (instruction_set) {
    case CK_SCALAR: return &table[CK_SCALAR];
#if defined(__x86_64__)
    case CK_AVX2: return has_avx2() ? &table[CK_AVX2] : NULL;
    case CK_AVX512: return has_avx512() ? &table[CK_AVX512] : NULL;
    case CK_AVX512VNNI: return has_vnni() ? &table[CK_AVX512VNNI] : NULL;
    case CK_AVX512BF16: return has_vnni() && __builtin_cpu_supports("avx512bf16") ? &table[CK_AVX512BF16] : NULL;
#endif
    default: return NULL;
    }
}
