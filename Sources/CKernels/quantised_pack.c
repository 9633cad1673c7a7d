// Quantisation of weights: once per model file, plain C. 32 rows are worked on side by side, one per lane, so that the
// compiler vectorises every loop over lanes and no sum crosses them.
#include "quantised.h"
#include <math.h>

enum { LANES = CK_PANEL };
typedef float lanes[LANES];

/// One span of 32 rows, and what becomes of it.
typedef struct {
    size_t blocks;
    lanes values[CK_SPAN];
    uint8_t codes[CK_SPAN][LANES];       // nibbles or bytes
    uint8_t steps[CK_SPAN_BLOCKS][LANES];
    uint16_t scales[LANES];
} span_work;

CK_INLINE float nearest(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; } // ties to even; |x| < 2²²
CK_INLINE float clamp(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

/// The nearest half of a number in 0...65504.
static uint16_t half_of(float x) {
    union { float f; uint32_t u; } bits = {.f = x};
    if (x < 0x1p-14f) return (uint16_t)lrintf(x * 0x1p24f); // subnormal, or the first normal one
    uint32_t rounded = bits.u + 0xFFF + (bits.u >> 13 & 1);
    return (uint16_t)CK_MIN((rounded >> 13) - (112u << 10), 0x7BFFu);
}

CK_INLINE void largest_magnitudes(const lanes *values, size_t count, lanes out) {
    for (int n = 0; n < LANES; n++) out[n] = 0;
    for (size_t k = 0; k < count; k++) {
        for (int n = 0; n < LANES; n++) {
            float magnitude = fabsf(values[k][n]);
            out[n] = magnitude > out[n] ? magnitude : out[n];
        }
    }
}

CK_INLINE void quantise_q8(span_work *work) {
    size_t count = work->blocks * CK_BLOCK;
    lanes largest, factors;
    largest_magnitudes((const lanes *)work->values, count, largest);
    for (int n = 0; n < LANES; n++) {
        work->scales[n] = half_of(largest[n] / 127);
        float scale = ck_half(&work->scales[n]);
        factors[n] = scale > 0 ? 1 / scale : 0;
    }
    for (size_t k = 0; k < count; k++) {
        for (int n = 0; n < LANES; n++) {
            work->codes[k][n] = (uint8_t)(int)(clamp(nearest(work->values[k][n] * factors[n]), -127, 127) + 128);
        }
    }
}

/// Rounds a block to (nibble - zero) · size; adds Σ q·v, Σ q² of the whole numbers q = nibble - zero.
CK_INLINE void round_block(const lanes *values, const lanes sizes, const lanes zeros, lanes products, lanes squares) {
    lanes factors;
    for (int n = 0; n < LANES; n++) factors[n] = sizes[n] > 0 ? 1 / sizes[n] : 0, products[n] = squares[n] = 0;
    for (int k = 0; k < CK_BLOCK; k++) {
        for (int n = 0; n < LANES; n++) {
            float q = clamp(nearest(values[k][n] * factors[n]), -zeros[n], 15 - zeros[n]);
            products[n] += q * values[k][n];
            squares[n] += q * q;
        }
    }
}

/// The step size and zero that lose least in a block, its step still free. The loss of a rounding is Σ v² - (Σ q·v)² / Σ q².
CK_INLINE void search_block(const lanes *values, lanes best_size, lanes best_zero) {
    static const float fractions[] = {0.80f, 0.86f, 0.92f, 0.97f, 1.02f}; // of the size that clips nothing
    lanes low = {0}, high = {0}, most, centre;
    for (int k = 0; k < CK_BLOCK; k++) {
        for (int n = 0; n < LANES; n++) {
            low[n] = values[k][n] < low[n] ? values[k][n] : low[n];
            high[n] = values[k][n] > high[n] ? values[k][n] : high[n];
        }
    }
    for (int n = 0; n < LANES; n++) {
        float range = high[n] - low[n];
        centre[n] = range > 0 ? nearest(-low[n] / range * 15) : 8;
        most[n] = -1, best_size[n] = 0, best_zero[n] = 8;
    }
    for (int z = -1; z <= 1; z++) {
        for (int f = 0; f < 5; f++) {
            lanes sizes, zeros, products, squares;
            for (int n = 0; n < LANES; n++) {
                zeros[n] = clamp(centre[n] + (float)z, 0, 15);
                float above = high[n] / (15.5f - zeros[n]), below = -low[n] / (zeros[n] + 0.5f);
                sizes[n] = fractions[f] * (above > below ? above : below);
            }
            round_block(values, sizes, zeros, products, squares);
            for (int n = 0; n < LANES; n++) {
                float size = squares[n] > 0 ? products[n] / squares[n] : 0, gain = products[n] * size;
                int better = gain > most[n];
                most[n] = better ? gain : most[n];
                best_size[n] = better ? size : best_size[n];
                best_zero[n] = better ? zeros[n] : best_zero[n];
            }
        }
    }
}

/// Steps for a scale: the whole number nearest to each block's size, within what a byte holds. Σ over the span as above.
CK_INLINE void choose_steps(const span_work *work, lanes sizes[], lanes zeros[], const lanes scales, lanes steps[],
                            lanes products, lanes squares) {
    for (int n = 0; n < LANES; n++) products[n] = squares[n] = 0;
    for (size_t b = 0; b < work->blocks; b++) {
        lanes actual, block_products, block_squares;
        for (int n = 0; n < LANES; n++) {
            float reach = zeros[b][n] > 15 - zeros[b][n] ? zeros[b][n] : 15 - zeros[b][n];
            float limit = reach > 8 ? (float)(int)(127 / reach) : 15;
            steps[b][n] = scales[n] > 0 ? clamp(nearest(sizes[b][n] / scales[n]), 1, limit) : 1;
            actual[n] = steps[b][n] * scales[n];
        }
        round_block((const lanes *)work->values + b * CK_BLOCK, actual, zeros[b], block_products, block_squares);
        for (int n = 0; n < LANES; n++) {
            products[n] += steps[b][n] * block_products[n];
            squares[n] += steps[b][n] * steps[b][n] * block_squares[n];
        }
    }
}

CK_INLINE void quantise_q4(span_work *work) {
    static const float fractions[] = {0.93f, 1.0f, 1.08f, 1.17f, 1.27f, 1.4f}; // of the scale that cuts no step
    lanes sizes[CK_SPAN_BLOCKS], zeros[CK_SPAN_BLOCKS], steps[CK_SPAN_BLOCKS], products, squares;
    lanes need = {0}, most, best;
    for (size_t b = 0; b < work->blocks; b++) {
        search_block((const lanes *)work->values + b * CK_BLOCK, sizes[b], zeros[b]);
        for (int n = 0; n < LANES; n++) {
            float reach = zeros[b][n] > 15 - zeros[b][n] ? zeros[b][n] : 15 - zeros[b][n];
            float scale = sizes[b][n] / (reach > 8 ? (float)(int)(127 / reach) : 15);
            need[n] = scale > need[n] ? scale : need[n];
        }
    }
    for (int n = 0; n < LANES; n++) most[n] = -1, best[n] = 0;
    for (int f = 0; f < 6; f++) {
        lanes scales;
        for (int n = 0; n < LANES; n++) scales[n] = need[n] * fractions[f];
        choose_steps(work, sizes, zeros, scales, steps, products, squares);
        for (int n = 0; n < LANES; n++) {
            float gain = squares[n] > 0 ? products[n] * products[n] / squares[n] : 0;
            int better = gain > most[n];
            most[n] = better ? gain : most[n];
            best[n] = better ? scales[n] : best[n];
        }
    }
    choose_steps(work, sizes, zeros, best, steps, products, squares);
    for (int n = 0; n < LANES; n++) {
        work->scales[n] = half_of(squares[n] > 0 ? products[n] / squares[n] : 0);
    }
    for (size_t b = 0; b < work->blocks; b++) { // as rounded in choose_steps; the refit moves the scale alone
        lanes factors;
        for (int n = 0; n < LANES; n++) {
            factors[n] = best[n] > 0 ? 1 / (steps[b][n] * best[n]) : 0;
            work->steps[b][n] = (uint8_t)((int)steps[b][n] | (int)zeros[b][n] << 4);
        }
        for (size_t k = b * CK_BLOCK; k < (b + 1) * CK_BLOCK; k++) {
            for (int n = 0; n < LANES; n++) {
                float q = clamp(nearest(work->values[k][n] * factors[n]), -zeros[b][n], 15 - zeros[b][n]);
                work->codes[k][n] = (uint8_t)(int)(q + zeros[b][n]);
            }
        }
    }
}

/// Spans that are finite and fit a half; others lose what does not.
static void gather(const float *rows, size_t count, size_t inputs, size_t s, span_work *work) {
    work->blocks = ck_blocks_of(inputs, s);
    for (size_t n = 0; n < LANES; n++) {
        const float *row = rows + n * inputs + s * CK_SPAN;
        for (size_t k = 0; k < work->blocks * CK_BLOCK; k++) {
            work->values[k][n] = n < count && isfinite(row[k]) ? clamp(row[k], -0x1p22f, 0x1p22f) : 0;
        }
    }
}

#if defined(__x86_64__) && !__has_feature(thread_sanitizer) // it would have the choice of a clone call what is not there yet
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
static void quantise_span(int format, span_work *work) {
    if (format == CK_Q8) quantise_q8(work);
    else quantise_q4(work);
}

void ck_pack_panel(int format, const float *rows, size_t count, size_t inputs, void *panel) {
    uint8_t *span = panel;
    span_work work;
    for (size_t s = 0; s < ck_spans(inputs); s++) {
        gather(rows, count, inputs, s, &work);
        quantise_span(format, &work);
        memcpy(span, work.scales, sizeof work.scales);
        size_t cells = work.blocks * CK_BLOCK;
        if (format != CK_Q8) {
            memset(span + 64, 0, CK_Q4_HEAD - 64);
            for (size_t b = 0; b < work.blocks; b++) {
                for (size_t n = 0; n < LANES; n++) {
                    span[64 + (b / 4 * CK_PANEL + n) * 4 + b % 4] = work.steps[b][n];
                }
            }
        }
        if (format == CK_Q4) {
            for (size_t k = 0; k < cells; k += k % 4 == 3 ? 5 : 1) {
                uint8_t *out = span + CK_Q4_HEAD + k / 8 * CK_PANEL * 4 + k % 4;
                for (size_t n = 0; n < LANES; n++) out[4 * n] = work.codes[k][n] | work.codes[k + 4][n] << 4;
            }
            span += CK_Q4_HEAD + cells * 16;
        } else if (format == CK_Q2) {
            memset(span + CK_Q4_HEAD, 0, cells * 8);
            for (size_t k = 0; k < cells; k++) {
                uint8_t *out = span + CK_Q4_HEAD + k / 16 * CK_PANEL * 4 + k % 4;
                for (size_t n = 0; n < LANES; n++) out[4 * n] |= (uint8_t)(work.codes[k][n] >> 2 << k % 16 / 4 * 2);
            }
            span += CK_Q4_HEAD + cells * 8;
        } else {
            for (size_t k = 0; k < cells; k++) {
                uint8_t *out = span + CK_Q8_HEAD + k / 4 * CK_PANEL * 4 + k % 4;
                for (size_t n = 0; n < LANES; n++) out[4 * n] = work.codes[k][n];
            }
            span += CK_Q8_HEAD + cells * CK_PANEL;
        }
    }
}

static void pack_wide_rows(int format, const float *rows, size_t numbers, uint8_t *packed) {
    for (size_t i = 0; i < numbers; i++) {
        if (format == CK_BF16) {
            uint16_t half = ck_bf16(rows[i]);
            memcpy(packed + 2 * i, &half, sizeof half);
        } else {
            memcpy(packed + 4 * i, rows + i, sizeof *rows);
        }
    }
}

void ck_pack_rows(int format, const float *rows, size_t count, size_t inputs, uint8_t *packed) {
    if (format == CK_BF16 || format == CK_F32) {
        pack_wide_rows(format, rows, count * inputs, packed);
        return;
    }
    span_work work;
    for (size_t s = 0; s < ck_spans(inputs); s++) {
        gather(rows, count, inputs, s, &work);
        quantise_span(format, &work);
        size_t cells = work.blocks * CK_BLOCK;
        for (size_t n = 0; n < count; n++) {
            uint8_t *span = packed + n * ck_row_bytes(format, inputs) + s * ck_row_bytes(format, CK_SPAN);
            if (format == CK_Q8) {
                for (size_t k = 0; k < cells; k++) span[k] = work.codes[k][n];
                memcpy(span + cells, &work.scales[n], 2);
                continue;
            }
            for (size_t b = 0; b < work.blocks; b++) {
                for (size_t k = 0; k < 16; k++) {
                    size_t from = b * CK_BLOCK + k;
                    span[b * 16 + k] = (uint8_t)(work.codes[from][n] | work.codes[from + 16][n] << 4);
                }
            }
            uint8_t *steps = span + cells / 2;
            for (size_t b = 0; b < CK_SPAN_BLOCKS; b++) steps[b] = b < work.blocks ? work.steps[b][n] : 0;
            memcpy(steps + CK_SPAN_BLOCKS, &work.scales[n], 2);
        }
    }
}
