// Products with 4-bit and 8-bit weights: their formats and the contracts of their kernels. Included by ckernels.h.
//
// Weights are cut along K into spans of 256 inputs and these into blocks of 32. A weight is an integer times the half that
// its output has for the span; 4-bit ones have a small step and a zero per block and output besides:
//   q4: (nibble - zero) · step · scale    each 0...15; zero · step ≤ 128 and (15 - zero) · step ≤ 127
//   q8: (byte - 128) · scale              byte 0...255
//   q2: (4·pair + 1.5 - zero) · step · scale, each 0...3: the upper half of the nibbles of q4, which says about how large a
//       product is. Panels only.
// (nibble - zero) · step fits a byte, so a product sums 256 terms in integers before it meets a float; floats are added
// in the order of the spans. All variants give the same bits. (Weights beyond the two bounds give some number.)
//
// K is a multiple of 32 and at most CK_MAX_QUANTISED_INPUTS; the last span may hold fewer blocks. All sizes are in bytes.
#ifndef CK_QUANTISED_H
#define CK_QUANTISED_H
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// A half-open range of rows or panels.
typedef struct ck_range { size_t begin, end; } ck_range;

enum {
    CK_BLOCK = 32,
    CK_SPAN = 256,
    CK_SPAN_BLOCKS = CK_SPAN / CK_BLOCK,
    CK_MAX_QUANTISED_INPUTS = 32768,
};

enum { CK_Q4 = 0, CK_Q8 = 1, CK_BF16 = 2, CK_F32 = 3, CK_Q2 = 4 }; // bf16 and f32 for rows only, q2 for panels only

// Panels, for dense products: 32 outputs side by side, N filled up with zero weights; spans one after another:
//   q4 span of B blocks: scales [32] halves | steps [2][32][4], a byte per block: step low, zero high | nibbles [B][4][32][4],
//      byte p of pair j: k = 32b + 8j + p low, 4 later high
//   q8 span of B blocks: scales [32] halves | bytes [B][8][32][4]
//   q2 span of B blocks: scales and steps as q4 | pairs [B][2][32][4], byte p of half h: k = 32b + 16h + p lowest, then 4 later each
// 64-byte aligned, as everything in them then is.

/// Bytes of one panel of 32 outputs.
static inline size_t ck_panel_bytes(int format, size_t inputs) {
    size_t spans = (inputs + CK_SPAN - 1) / CK_SPAN;
    switch (format) {
    case CK_Q2: return spans * 320 + inputs * 8;
    case CK_Q4: return spans * 320 + inputs * 16;
    default: return spans * 64 + inputs * 32;
    }
}

// Rows, for gathers: one after another, each of `ck_row_bytes`, no alignment asked.
//   q4 span of B blocks: nibbles [B][16], byte p of block b: k = 32b + p low, 32b + 16 + p high | steps [8] as above | scale, half
//   q8 span of B blocks: bytes [32B] | scale, half
//   bf16, f32: little-endian numbers

/// Bytes of one row.
static inline size_t ck_row_bytes(int format, size_t inputs) {
    size_t spans = (inputs + CK_SPAN - 1) / CK_SPAN;
    switch (format) {
    case CK_Q4: return spans * 10 + inputs / 2;
    case CK_Q8: return spans * 2 + inputs;
    case CK_BF16: return inputs * 2;
    default: return inputs * 4;
    }
}

/// Inputs rounded to -127...127 with one scale per span. Rows are `stride` bytes apart, in each:
/// bytes [K] | scale per span, float | -128·Σ bytes per span, int32 | Σ bytes per block, int32.
/// 64-byte aligned. A span that holds a number that is not finite has scale NaN; one below 1e-30 counts as zero.
typedef struct ck_quantised_inputs {
    void *rows;
    size_t stride;
    size_t inputs;
} ck_quantised_inputs;

static inline size_t ck_quantised_stride(size_t inputs) {
    size_t spans = (inputs + CK_SPAN - 1) / CK_SPAN;
    size_t lines = (inputs + 63) / 64 + (spans * 8 + inputs / CK_BLOCK * 4 + 63) / 64;
    return (lines | 1) * 64; // odd in cache lines, so that rows do not compete for one set
}

/// y = activation(x Wᵀ + bias), or y += x Wᵀ + bias.
typedef struct ck_quantised_matmul {
    ck_quantised_inputs x;
    float *y;                            // [M, N], rows `y_stride` floats apart
    size_t y_stride;
    size_t outputs;                      // N
    const void *panels;                  // all of them, 64-byte aligned
    const float *_Nullable bias;         // [N]
    int activation;                      // CK_NONE where `adding`
    int adding;
} ck_quantised_matmul;

/// Chosen rows of a table [count, K]; each index has been checked.
typedef struct ck_row_table {
    const uint8_t *rows;
    size_t columns;                      // K
    int format;                          // CK_Q4...CK_F32
} ck_row_table;

/// Products of rows of a quantised table with several rows of inputs, each of which has its own choice of them.
typedef struct ck_chosen_dots {
    ck_row_table table;                  // q4 or q8
    ck_quantised_inputs x;               // rows 0..<count
    size_t count;
    const int32_t *indices;              // [count, stride], ascending in each row
    const size_t *chosen;                // [count]: how many of them there are
    size_t stride;
    float *out;                          // as indices
} ck_chosen_dots;

typedef struct ck_quantised_kernels {
    /// x rows begin..<end, `stride` floats apart, to the same rows of `to`.
    void (*quantise)(const float *x, size_t stride, const ck_quantised_inputs *to, ck_range rows);
    void (*matmul_q4)(const ck_quantised_matmul *job, ck_range rows, ck_range panels);
    void (*matmul_q8)(const ck_quantised_matmul *job, ck_range rows, ck_range panels);
    void (*matmul_q2)(const ck_quantised_matmul *job, ck_range rows, ck_range panels);
    /// out = the columns of some spans of a row in floats.
    void (*copy_row)(const ck_row_table *table, size_t row, ck_range spans, float *out);
    /// out[i] = row indices[i] · x. Quantised tables read row `m` of `quantised`, the same bits as a dense product; others
    /// read `x` in floats.
    void (*dot_rows)(const ck_row_table *table, const int32_t *indices, size_t count,
                     const ck_quantised_inputs *_Nullable quantised, size_t m, const float *_Nullable x, float *out);
    /// out[m][i] = row indices[m][i] · x row m for all indices within `rows`: the bits of `dot_rows`.
    void (*dot_chosen)(const ck_chosen_dots *job, ck_range rows);
    /// y += Σ weights[i] · row indices[i] over the columns of some spans, in the order of i.
    void (*add_rows)(const ck_row_table *table, const int32_t *indices, const float *weights, size_t count,
                     ck_range spans, float *y);
} ck_quantised_kernels;

/// Packs `count` ≤ 32 rows [count, K] of a matrix into one panel. Numbers that are not finite count as zero.
void ck_pack_panel(int format, const float *rows, size_t count, size_t inputs, void *panel);
/// Packs `count` ≤ 32 rows [count, K] of a table.
void ck_pack_rows(int format, const float *rows, size_t count, size_t inputs, uint8_t *packed);
/// Weight row `output` of panels, in floats.
void ck_copy_panel_row(int format, const void *panels, size_t inputs, size_t output, float *row);
/// The root mean square of step · scale of each of the 32 outputs of a panel of q4 or q2.
void ck_panel_steps(int format, const void *panel, size_t inputs, float *steps);

#pragma clang assume_nonnull end
#endif
