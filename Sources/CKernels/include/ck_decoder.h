// What a text decoder does to rows between its products, and attention whose query heads share keys. Included by ckernels.h.
//
// Sums have an order that depends on the lengths alone; vector variants differ from the scalar ones by the bound of float
// sums, and exponentials and tanh by a few ulp of their result (tanh: 4e-7 absolute).
#ifndef CK_DECODER_H
#define CK_DECODER_H
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

enum { CK_STREAMS = 4 };

/// y = x / √(mean(x²) + ε) · weight, or y += that, over `groups` of `width` neighbours; y may be x.
typedef struct ck_rms_norm {
    const float *x;
    float *y;
    const float *_Nullable weight;       // [width]
    size_t groups, width;
    float epsilon;
    int adding;
} ck_rms_norm;

/// softmax(q Kᵀ) V, unscaled, for `heads` query heads that share one key head, at one position.
///
/// Keys and values are rows of `head_dim` numbers in `slots` slots that are used in a circle: slot `first` and the `count` - 1
/// after it are seen; 1 ≤ count ≤ slots. Halves are IEEE. A key's score and an output depend on what they are made of alone.
typedef struct ck_grouped_attention {
    const float *queries;                // [heads, D]
    float *out;                          // [heads, D]
    const void *keys, *values;           // [slots, D], float or half
    int are_halves;
    size_t heads, head_dim;              // head_dim ≤ CK_MAX_HEAD_DIM
    size_t first, count, slots;
    float *scores;                       // scratch: heads · count
} ck_grouped_attention;

typedef struct ck_decoder_kernels {
    void (*rms_norm)(const ck_rms_norm *job);
    /// gates = GELU(gates) · factors, in the tanh form.
    void (*multiply_gelu)(float *gates, const float *factors, size_t n);
    /// x = cap · tanh(x / cap).
    void (*soft_cap)(float *x, size_t n, float cap);
    /// Turns pairs (d, d + half) of `heads` heads of 2·half numbers by the angles of cosines and sines [half].
    void (*rotate)(float *x, size_t heads, const float *cosines, const float *sines, size_t half);
    /// mean(x) + deviations · √(mean((x - mean)²)).
    float (*cut_level)(const float *x, size_t n, float deviations);
    /// Packs x[i] - cut where it is above 0 to the front of x, and those i into `indices` [n]; returns how many.
    size_t (*cut)(float *x, size_t n, float cut, int32_t *indices);
    /// s[i] += Σ c[4i + j] s[j] over four rows of n, in place.
    void (*mix_streams)(float *const _Nonnull streams[_Nonnull CK_STREAMS], const float *coefficients, size_t n);
    /// s[i] += k[i] · (o - s[0]), then scaled = s[0] · scale.
    void (*correct_streams)(float *const _Nonnull streams[_Nonnull CK_STREAMS], const float *o, const float *k,
                            const float *scale, float *scaled, size_t n);
    /// y = (a + b + c) · factor; y may be any of them.
    void (*add_three)(const float *a, const float *b, const float *c, float factor, float *y, size_t n);
    /// y = x · factor; y may be x.
    void (*scale)(const float *x, float factor, float *y, size_t n);
    void (*float_to_half)(const float *x, uint16_t *out, size_t n); // ties to even
    void (*attend_grouped)(const ck_grouped_attention *job);
} ck_decoder_kernels;

#pragma clang assume_nonnull end
#endif
