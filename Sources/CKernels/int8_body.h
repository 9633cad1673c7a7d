// The int8 product, written once over the registers of vector_*.h. The including file defines CK(name), CK_ROW(name) (the
// float kernels of its set), MR (rows that one pass holds in registers), the tile's sizes and
//   store_quantised(out, x): a register of floats in -127...127, rounded, to the bytes that the hardware wants;
//   multiply_groups(rows, tile, w, groups, sums): the sums [rows][32] of one tile and panel;
//   v_integers(sums, weight_sums): those sums as floats, freed of what store_quantised may have added to each byte.

typedef struct {
    _Alignas(64) uint8_t bytes[(CK_MAX_INPUTS + TILE_DEPTH - 1) / TILE_DEPTH * TILE_BYTES];
    float scales[MR];
} quantised_tile;

/// The largest magnitude; +∞ or NaN if one is not finite: as integers, magnitudes keep their order and NaN tops them.
CK_INLINE float largest_magnitude(const float *x, size_t n) {
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7FFFFFFF;
        largest = bits > largest ? bits : largest; // the compiler vectorises this
    }
    float result;
    memcpy(&result, &largest, sizeof result);
    return result;
}

static void quantise_row(const float *x, size_t inputs, uint8_t *tile, float *scale) {
    float largest = largest_magnitude(x, inputs);
    int usable = largest >= 1e-30f && largest < INFINITY;
    *scale = usable ? largest / 127 : largest < INFINITY ? 0 : NAN;
    vf factor = v_set(usable ? 127 / largest : 0);
    for (size_t k = 0; k < inputs; k += VL) { // a tile is a multiple of VL deep, so no vector straddles two
        uint8_t *out = tile + k / TILE_DEPTH * TILE_BYTES + k % TILE_DEPTH;
        vf values = k + VL <= inputs ? v_load(x + k) : v_load_tail(x + k, inputs - k, 0);
        store_quantised(out, usable ? v_mul(values, factor) : v_set(0));
    }
}

/// Scales, biases and stores the sums of `rows` and the panel that begins at output `first`.
CK_INLINE void finish_panel(const ck_matmul *job, const quantised_tile *tile, const int32_t *sums, ck_range rows,
                            size_t first) {
    size_t columns = CK_MIN(job->outputs - first, (size_t)CK_PANEL);
    for (size_t r = 0; r < rows.end - rows.begin; r++) {
        float *y = job->y + (rows.begin + r) * job->y_stride + first;
        for (size_t c = 0; c < CK_PANEL; c += VL) {
            if (c >= columns) break;
            size_t width = CK_MIN(columns - c, (size_t)VL);
            vf scale = v_mul(v_set(tile->scales[r]), v_load(job->scales + first + c));
            vf value = v_mul(v_integers(sums + r * CK_PANEL + c, job->sums + first + c), scale);
            value = v_add(value, job->bias ? v_load(job->bias + first + c) : v_set(0));
            if (width == VL) {
                v_store(y + c, job->adding ? v_add(v_load(y + c), value) : value);
            } else {
                v_store_tail(y + c, width, job->adding ? v_add(v_load_tail(y + c, width, 0), value) : value);
            }
        }
    }
}

void CK(matmul_s8)(const ck_matmul *job, ck_range rows, ck_range panels) {
    quantised_tile tile;
    size_t groups = (job->inputs + CK_GROUP - 1) / CK_GROUP, first = panels.begin * CK_PANEL;
    size_t columns = CK_MIN(panels.end * CK_PANEL, job->outputs) - first;
    for (size_t m = rows.begin; m < rows.end; m += MR) {
        ck_range some = {m, CK_MIN(m + MR, rows.end)};
        for (size_t r = some.begin; r < some.end; r++) {
            uint8_t *bytes = tile.bytes + (r - m) * TILE_STRIDE;
            quantise_row(job->x + r * job->x_stride, job->inputs, bytes, tile.scales + (r - m));
        }
        for (size_t panel = panels.begin; panel < panels.end; panel++) {
            _Alignas(64) int32_t sums[MR * CK_PANEL];
            const int8_t *w = (const int8_t *)job->weights + panel * groups * CK_GROUP * CK_PANEL;
            multiply_groups(some.end - some.begin, tile.bytes, w, groups, sums);
            finish_panel(job, &tile, sums, some, panel * CK_PANEL);
        }
        if (job->activation == CK_NONE) continue;
        for (size_t r = some.begin; r < some.end; r++) {
            CK_ROW(activate)(job->y + r * job->y_stride + first, columns, job->activation);
        }
    }
}
