// The product of a tile of inputs and panels of weights, written once over the registers of vector_*.h. The including file
// defines MR, the rows that one pass holds in registers (MR × 2 sums, two weights, one input), and
// v_step(x, w, sum), which adds the products of one 32-bit unit per lane: a float, or two halves.
//
// Inputs are copied into a tile first: its stride is a constant, so every address is a displacement, and odd in cache
// lines, so its rows never compete for one set. A sum runs over k in rising order whatever the partition.
enum {
    TILE_ROWS = 12,
    TILE_DEPTH = 384,  // units: 12 × 400 × 4 B = 19 KB of a 32 KB L1; the weights stream past it
    TILE_STRIDE = 400, // 25 cache lines
};

typedef struct {
    const float *a;                 // tile rows
    const float *b;                 // [depth][32] of the first panel
    size_t panel_units, depth;      // distance of panels in b; units to sum over
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
        b[v] = p->b + n / CK_PANEL * p->panel_units + n % CK_PANEL;
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
            for (int v = 0; v < vectors; v++) sums[r][v] = v_step(x, w[v], sums[r][v]);
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
        p.b += width / CK_PANEL * p.panel_units;
        p.c += width;
        if (p.bias) p.bias += width;
        columns -= width;
    }
}
