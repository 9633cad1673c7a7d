// The arithmetic under the networks: contracts of all kernels, and the table that holds one row of them per
// instruction set. No kernel allocates, keeps state or asks for alignment; pointers may be aligned to their element only.
// Scratch lives on the stack: at most 300 KB (attention over CK_MAX_POSITIONS, int8 rows of CK_MAX_INPUTS).
//
// Letters: M rows, N outputs, K inputs, D width of a head.
#ifndef CKERNELS_H
#define CKERNELS_H
#include "ck_decoder.h"
#include "ck_quantised.h"
#include "ck_vision.h"
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

enum {
    CK_PANEL = 32,              // outputs that lie side by side in packed weights: 2 AVX-512, 4 AVX2, 8 NEON registers
    CK_GROUP = 4,               // int8 inputs that lie side by side: what one dot-product instruction sums per output
    CK_MAX_INPUTS = 16384,      // longest int8 row
    CK_MAX_POSITIONS = 4096,    // most keys that one query row can see
    CK_MAX_HEAD_DIM = 256,
};

enum { CK_NONE = 0, CK_GELU = 1, CK_RELU = 2, CK_SIGMOID = 3, CK_RELU6 = 4, CK_SILU = 5 };
enum { CK_SCALAR = 0, CK_AVX2 = 1, CK_AVX512 = 2, CK_AVX512VNNI = 3, CK_AVX512BF16 = 4 };

/// y = activation(x Wᵀ + bias), or y += x Wᵀ + bias.
///
/// Float weights: [ceil(N/32)][K][32]. Int8 weights: [ceil(N/32)][ceil(K/4)][32][4], each in -127...127.
/// Outputs beyond N and inputs beyond K are zero in packed weights; `bias`, `scales` and `sums` have ceil(N/32)·32 elements.
/// A row of y depends on its row of x alone: rows and panels may be computed in any partition with the same result.
typedef struct ck_matmul {
    const float *x;                      // [M, K], rows `x_stride` floats apart
    size_t x_stride;
    float *y;                            // [M, N], rows `y_stride` floats apart; not overlapping x
    size_t y_stride;
    size_t inputs, outputs;              // K, N
    const void *weights;
    const float *_Nullable bias;
    const float *_Nullable scales;       // int8: weight = integer · scale of its output
    const int32_t *_Nullable sums;       // int8: sum of the integers of an output
    int activation;                      // CK_NONE where `adding`
    int adding;
} ck_matmul;

/// softmax(scale · q Kᵀ) V for the rows of one head.
///
/// Row i sees positions 0..<min(positions, visible + i); positions ≥ 1, visible ≥ 1. It does not depend on other rows.
typedef struct ck_attention {
    const float *queries;                // [M, D], rows `query_stride` floats apart
    size_t query_stride;
    const void *keys;                    // [ceil(positions/32)][D][32]; bfloat16: [...][ceil(D/2)][32][2]
    const void *values;                  // [ceil(D/32)][value_capacity][32]; bfloat16: [...][ceil(capacity/2)][32][2]
    size_t value_capacity;
    size_t rows, positions, visible, head_dim;
    float scale;
    float *out;                          // [M, D], rows `out_stride` floats apart
    size_t out_stride;
    float *_Nullable weights;            // [M, positions], rows `weights_stride` floats apart: the softmax, when asked
    size_t weights_stride;
} ck_attention;

/// y = (x - mean) / sqrt(variance + epsilon) · gamma + beta over rows of `columns` ≥ 1; y may be x.
typedef struct ck_layer_norm {
    const float *x;
    float *y;
    const float *gamma, *beta;
    size_t rows, columns;
    float epsilon;
} ck_layer_norm;

/// Depthwise convolution of a picture with interleaved channels: y = activation(Σ w·x + bias), channel by channel.
///
/// Computes output rows `rows`: x begins with input row `x_row` and holds what they reach, y begins with rows.begin. The tap
/// (i, j) of output (r, c) lies on input (r·stride + i - pad_top, c·stride + j - pad_left); outside the picture it counts
/// as zero. Taps are summed in rising (i, j), so an output is the same in any partition.
typedef struct ck_depthwise {
    const float *x;                      // [..., width, C]
    float *y;                            // [rows, out_width, C]; not overlapping x
    const float *weights;                // [kernel, kernel, C]
    const float *bias;                   // [C]
    size_t x_row;
    size_t height, width, channels;      // of the whole input; C ≥ 1
    size_t out_width;
    size_t kernel, stride;               // 3 or 5; 1 or 2
    size_t pad_top, pad_left;
    int activation;
} ck_depthwise;

/// Windows of a picture as rows of a matrix, for a convolution by product: [out rows · out_width, kernel · kernel · C], tap by
/// tap, zero outside the picture.
typedef struct ck_windows {
    const float *x;                      // [height, width, C]
    size_t height, width, channels;
    size_t out_width;
    size_t kernel, stride;
    size_t pad_top, pad_left;
} ck_windows;

/// One row of kernels. Floats differ from the scalar row by at most 4·n·ε·Σ|aᵢbᵢ|, integer sums not at all.
typedef struct ck_kernels {
    const char *name;
    void (*matmul_f32)(const ck_matmul *job, ck_range rows, ck_range panels);
    /// Quantises each row of x to -127...127 (scale max|row|/127, ties to even) and sums in int32. A row of x that is
    /// not finite gives a row of NaN; one whose magnitude is below 1e-30 counts as zero.
    void (*matmul_s8)(const ck_matmul *job, ck_range rows, ck_range panels);
    void (*attend)(const ck_attention *job);
    /// The same with keys, values, scaled queries and softmax rounded to bfloat16 (ties to even), summed in float. NULL
    /// where the processor does not multiply bfloat16.
    void (*_Nullable attend_bf16)(const ck_attention *job);
    void (*layer_norm)(const ck_layer_norm *job);
    /// y = activation(y), elementwise; gelu is x·Φ(x), to 3e-7 relative to max(|x|, 1).
    void (*activate)(float *y, size_t n, int activation);
    /// In place; n == 0 does nothing. Exponentials are exact to 2 ulp.
    void (*softmax)(float *x, size_t n);
    float (*maximum)(const float *x, size_t n);                          // -∞ at n == 0
    float (*sum_of_exponentials)(const float *x, size_t n, float shift); // Σ exp(x - shift); 0 at n == 0
    float (*dot)(const float *a, const float *b, size_t n);              // 0 at n == 0
    void (*axpy)(float a, const float *x, float *restrict y, size_t n);  // y += a·x
    /// One LSTM step after the matrix products. gates [4H]: input, forget, cell, output; cell and hidden [H] in place.
    void (*lstm)(const float *gates, float *cell, float *hidden, size_t n);
    void (*half_to_float)(const uint8_t *bytes, float *out, size_t n);   // n little-endian IEEE halves
    ck_quantised_kernels quantised;
    ck_decoder_kernels decoder;
    void (*depthwise)(const ck_depthwise *job, ck_range rows);
    ck_vision_kernels vision;
} ck_kernels;

/// The row for CK_SCALAR..., or NULL where this processor or build lacks it.
const ck_kernels *_Nullable ck_kernels_for(int instruction_set);

// Packing and copying: plain C on every processor.

/// weights [N, K] row-major to the float layout above.
void ck_pack_f32(const float *weights, size_t outputs, size_t inputs, float *packed);
/// Quantises and packs weights [N, K]; fills `scales` and `sums` (ceil(N/32)·32 each).
void ck_pack_s8(const float *weights, size_t outputs, size_t inputs, int8_t *packed, float *scales, int32_t *sums);
/// Writes keys [rows, D], rows `stride` floats apart, at `positions` into the key layout of ck_attention.
void ck_pack_keys(const float *keys, size_t stride, ck_range positions, size_t head_dim, float *packed);
void ck_pack_keys_bf16(const float *keys, size_t stride, ck_range positions, size_t head_dim, uint16_t *packed);
/// Writes values [rows, D] at `positions` into the value layout of ck_attention.
void ck_pack_values(const float *values, size_t stride, ck_range positions, size_t head_dim, float *packed,
                    size_t capacity);
void ck_pack_values_bf16(const float *values, size_t stride, ck_range positions, size_t head_dim, uint16_t *packed,
                         size_t capacity);

/// Gathers the windows of output rows `rows` into `out`, one after the other.
void ck_gather_windows(const ck_windows *job, ck_range rows, float *out);

/// Tells the core that this thread spins.
static inline void ck_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#pragma clang assume_nonnull end
#endif
