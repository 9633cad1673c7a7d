// Matrix products and attention on floats, written once over the registers of vector_*.h. The including file defines
// MR, the rows that one pass holds in registers (MR × 2 sums, two weights, one input).
//
// Inputs are copied into a tile first: its stride is a constant, so every address is a displacement, and odd in cache
// lines, so its rows never compete for one set. A sum runs over k in rising order whatever the partition.
enum {
    TILE_ROWS = 12,
    TILE_DEPTH = 384,  // 12 × 400 × 4 B = 19 KB of a 32 KB L1; the weights stream past it
    TILE_STRIDE = 400, // 25 cache lines
};

typedef struct {
    const float *a;                 // tile rows
    const float *b;                 // [depth][32] of the first panel
    size_t panel_floats, depth;     // distance of panels in b
    const float *bias;              // or NULL: added to the initial sums
    float *c;
    size_t c_stride;
    int continues;                  // the sums start from c
} product;

/// `rows` × `vectors`·VL sums, starting `column` floats into the first panel. The counts are constants after inlining.
CK_INLINE void multiply(const int rows, const int vectors, const product *p, size_t column) {
    vf sums[MR][8];
    for (int v = 0; v < vectors; v++) {
        vf start = p->bias ? v_load(p->bias + column + v * VL) : v_set(0);
        for (int r = 0; r < rows; r++) {
            sums[r][v] = p->continues ? v_add(v_load(p->c + r * p->c_stride + column + v * VL), start) : start;
        }
    }
    const float *b[8];
    for (int v = 0; v < vectors; v++) {
        size_t n = column + v * VL;
        b[v] = p->b + n / CK_PANEL * p->panel_floats + n % CK_PANEL;
    }
    const float *a = p->a;
    for (size_t k = 0, depth = p->depth; k < depth; k++) {
        vf w[8];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) w[v] = v_load(b[v] + k * CK_PANEL);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            vf x = v_set(a[r * TILE_STRIDE + k]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) sums[r][v] = v_fma(x, w[v], sums[r][v]);
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int v = 0; v < vectors; v++) v_store(p->c + r * p->c_stride + column + v * VL, sums[r][v]);
    }
}

/// `rows` ≤ TILE_ROWS by one panel.
static void multiply_panel(size_t rows, const product *whole) {
    for (size_t r = 0; r < rows; r += MR) {
        product p = *whole;
        p.a += r * TILE_STRIDE;
        p.c += r * p.c_stride;
        for (size_t column = 0; column < CK_PANEL; column += 2 * VL) {
            switch (CK_MIN(rows - r, (size_t)MR)) {
#define CK_CASE(n) case n: multiply(n, 2, &p, column); break;
            CK_CASE(1) CK_CASE(2) CK_CASE(3) CK_CASE(4) CK_CASE(5) CK_CASE(6)
#if MR == 12
            CK_CASE(7) CK_CASE(8) CK_CASE(9) CK_CASE(10) CK_CASE(11) CK_CASE(12)
#endif
#undef CK_CASE
            }
        }
    }
}

/// Several panels, of which the last may be cut at `columns`.
static void multiply_panels(size_t rows, const product *all, size_t columns) {
    enum { WIDE = 8 * VL }; // one row alone needs 8 sums side by side to hide the latency of FMA
    product p = *all;
    while (columns > 0) {
        size_t width;
        if (rows == 1 && columns >= WIDE) {
            multiply(1, 8, &p, 0);
            width = WIDE;
        } else if (columns >= CK_PANEL) {
            multiply_panel(rows, &p);
            width = CK_PANEL;
        } else {
            float whole[TILE_ROWS * CK_PANEL]; // the cut panel, as wide as the others
            width = columns;
            for (size_t r = 0; p.continues && r < rows; r++) {
                memset(whole + r * CK_PANEL, 0, CK_PANEL * sizeof(float));
                memcpy(whole + r * CK_PANEL, p.c + r * p.c_stride, width * sizeof(float));
            }
            product cut = p;
            cut.c = whole;
            cut.c_stride = CK_PANEL;
            multiply_panel(rows, &cut);
            for (size_t r = 0; r < rows; r++) memcpy(p.c + r * p.c_stride, whole + r * CK_PANEL, width * sizeof(float));
        }
        p.b += width / CK_PANEL * p.panel_floats;
        p.c += width;
        if (p.bias) p.bias += width;
        columns -= width;
    }
}

void CK(matmul_f32)(const ck_matmul *job, ck_range rows, ck_range panels) {
    _Alignas(64) float tile[TILE_ROWS * TILE_STRIDE];
    size_t inputs = job->inputs, first = panels.begin * CK_PANEL;
    size_t columns = CK_MIN(panels.end * CK_PANEL, job->outputs) - first;
    for (size_t k = 0; k < inputs; k += TILE_DEPTH) { // outermost: the weights of one block stay in L2 for all rows
        size_t depth = CK_MIN(inputs - k, (size_t)TILE_DEPTH);
        for (size_t m = rows.begin; m < rows.end; m += TILE_ROWS) {
            size_t count = CK_MIN(rows.end - m, (size_t)TILE_ROWS);
            for (size_t r = 0; r < count; r++) {
                memcpy(tile + r * TILE_STRIDE, job->x + (m + r) * job->x_stride + k, depth * sizeof(float));
            }
            float *y = job->y + m * job->y_stride + first;
            product p = {
                .a = tile, .b = (const float *)job->weights + first * inputs + k * CK_PANEL,
                .panel_floats = CK_PANEL * inputs, .depth = depth, .bias = job->bias && k == 0 ? job->bias + first : NULL,
                .c = y, .c_stride = job->y_stride, .continues = job->adding || k > 0,
            };
            multiply_panels(count, &p, columns);
            if (job->activation == CK_NONE || k + depth < inputs) continue;
            for (size_t r = 0; r < count; r++) CK(activate)(y + r * job->y_stride, columns, job->activation);
        }
    }
}

/// The scores of a query tile lie in tiles themselves: they are the input of the second product.
CK_INLINE float *score_tile(float *scores, size_t position) {
    return scores + position / TILE_DEPTH * (TILE_ROWS * TILE_STRIDE);
}

/// Softmax without its final division over the `seen` scores of one row; zeros up to `padded`. Returns 1/sum.
static float soften_row(float *row, size_t seen, size_t padded) {
    float largest = -INFINITY, sum = 0;
    for (size_t p = 0; p < seen; p += TILE_DEPTH) {
        float part = CK(maximum)(score_tile(row, p), CK_MIN(seen - p, (size_t)TILE_DEPTH));
        largest = part > largest ? part : largest;
    }
    for (size_t p = 0; p < padded; p += TILE_DEPTH) {
        size_t width = CK_MIN(padded - p, (size_t)TILE_DEPTH);
        size_t valid = p < seen ? CK_MIN(seen - p, width) : 0;
        float *scores = score_tile(row, p);
        sum += exponentials(scores, valid, largest);
        memset(scores + valid, 0, (width - valid) * sizeof(float));
    }
    return 1 / sum;
}

void CK(attend)(const ck_attention *job) {
    enum { SCORE_TILES = (CK_MAX_POSITIONS + TILE_DEPTH - 1) / TILE_DEPTH };
    _Alignas(64) float scores[SCORE_TILES * TILE_ROWS * TILE_STRIDE];
    _Alignas(64) float tile[TILE_ROWS * TILE_STRIDE];
    for (size_t m = 0; m < job->rows; m += TILE_ROWS) {
        size_t count = CK_MIN(job->rows - m, (size_t)TILE_ROWS), depth = job->head_dim;
        size_t positions = CK_MIN(job->positions, job->visible + m + count - 1);
        size_t padded = (positions + CK_PANEL - 1) / CK_PANEL * CK_PANEL;
        for (size_t r = 0; r < count; r++) {
            memcpy(tile + r * TILE_STRIDE, job->queries + (m + r) * job->query_stride, depth * sizeof(float));
            multiply_all(tile + r * TILE_STRIDE, depth, job->scale);
        }
        for (size_t n = 0; n < padded; n += TILE_DEPTH) {
            product p = {
                .a = tile, .b = job->keys + n * depth, .panel_floats = CK_PANEL * depth, .depth = depth,
                .c = score_tile(scores, n), .c_stride = TILE_STRIDE,
            };
            multiply_panels(count, &p, CK_MIN(padded - n, (size_t)TILE_DEPTH));
        }
        float factors[TILE_ROWS];
        for (size_t r = 0; r < count; r++) {
            size_t seen = CK_MIN(job->positions, job->visible + m + r);
            factors[r] = soften_row(scores + r * TILE_STRIDE, seen, padded);
        }
        float *out = job->out + m * job->out_stride;
        for (size_t n = 0; n < positions; n += TILE_DEPTH) {
            product p = {
                .a = score_tile(scores, n), .b = job->values + n * CK_PANEL,
                .panel_floats = CK_PANEL * job->value_capacity, .depth = CK_MIN(positions - n, (size_t)TILE_DEPTH),
                .c = out, .c_stride = job->out_stride, .continues = n > 0,
            };
            multiply_panels(count, &p, depth);
        }
        for (size_t r = 0; r < count; r++) {
            multiply_all(out + r * job->out_stride, depth, factors[r]);
            if (!job->weights) continue;
            float *weights = job->weights + (m + r) * job->weights_stride;
            memset(weights, 0, job->positions * sizeof(float));
            for (size_t n = 0; n < positions; n += TILE_DEPTH) {
                memcpy(weights + n, score_tile(scores + r * TILE_STRIDE, n), CK_MIN(positions - n, (size_t)TILE_DEPTH) * sizeof(float));
            }
            multiply_all(weights, positions, factors[r]);
        }
    }
}
