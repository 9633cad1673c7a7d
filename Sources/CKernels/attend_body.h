// Attention, written once over product_body.h and exp_body.h. The including file defines
// UNITS(n), the 32-bit units that n numbers fill in a tile or a panel, and
// narrow(row, n), which turns n floats of a tile into units in place, with zeros up to a whole unit.

/// The scores of a query tile lie in tiles themselves: they are the input of the second product.
CK_INLINE float *score_tile(float *scores, size_t position) {
    return scores + position / TILE_DEPTH * (TILE_ROWS * TILE_STRIDE);
}

/// Softmax without its final division over the `seen` scores of one row; zeros up to `padded`. Returns 1/sum.
static float soften_row(float *row, size_t seen, size_t padded) {
    float largest = -INFINITY, sum = 0;
    for (size_t p = 0; p < seen; p += TILE_DEPTH) {
        float part = CK_ROW(maximum)(score_tile(row, p), CK_MIN(seen - p, (size_t)TILE_DEPTH));
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

static void copy_weights(const ck_attention *job, size_t m, float *row, size_t positions, float factor) {
    float *weights = job->weights + m * job->weights_stride;
    memset(weights, 0, job->positions * sizeof(float));
    for (size_t p = 0; p < positions; p += TILE_DEPTH) {
        memcpy(weights + p, score_tile(row, p), CK_MIN(positions - p, (size_t)TILE_DEPTH) * sizeof(float));
    }
    multiply_all(weights, positions, factor);
}

void CK_ATTEND(const ck_attention *job) {
    enum { SCORE_TILES = (CK_MAX_POSITIONS + TILE_DEPTH - 1) / TILE_DEPTH };
    _Alignas(64) float scores[SCORE_TILES * TILE_ROWS * TILE_STRIDE];
    _Alignas(64) float tile[TILE_ROWS * TILE_STRIDE];
    size_t width = job->head_dim, depth = UNITS(width);
    for (size_t m = 0; m < job->rows; m += TILE_ROWS) {
        size_t count = CK_MIN(job->rows - m, (size_t)TILE_ROWS);
        size_t positions = CK_MIN(job->positions, job->visible + m + count - 1);
        size_t padded = (positions + CK_PANEL - 1) / CK_PANEL * CK_PANEL;
        for (size_t r = 0; r < count; r++) {
            float *query = tile + r * TILE_STRIDE;
            memcpy(query, job->queries + (m + r) * job->query_stride, width * sizeof(float));
            multiply_all(query, width, job->scale);
            narrow(query, width);
        }
        for (size_t p = 0; p < padded; p += TILE_DEPTH) {
            product scoring = {
                .a = tile, .b = (const float *)job->keys + p * depth, .panel_units = CK_PANEL * depth, .depth = depth,
                .c = score_tile(scores, p), .c_stride = TILE_STRIDE,
            };
            multiply_panels(count, &scoring, CK_MIN(padded - p, (size_t)TILE_DEPTH));
        }
        float factors[TILE_ROWS];
        for (size_t r = 0; r < count; r++) {
            float *row = scores + r * TILE_STRIDE;
            factors[r] = soften_row(row, CK_MIN(job->positions, job->visible + m + r), padded);
            if (job->weights) copy_weights(job, m + r, row, positions, factors[r]);
            for (size_t p = 0; p < padded; p += TILE_DEPTH) {
                narrow(score_tile(row, p), CK_MIN(padded - p, (size_t)TILE_DEPTH));
            }
        }
        float *out = job->out + m * job->out_stride;
        for (size_t p = 0; p < positions; p += TILE_DEPTH) {
            product mixing = {
                .a = score_tile(scores, p), .b = (const float *)job->values + UNITS(p) * CK_PANEL,
                .panel_units = CK_PANEL * UNITS(job->value_capacity),
                .depth = UNITS(CK_MIN(positions - p, (size_t)TILE_DEPTH)),
                .c = out, .c_stride = job->out_stride, .continues = p > 0,
            };
            multiply_panels(count, &mixing, width);
        }
        for (size_t r = 0; r < count; r++) multiply_all(out + r * job->out_stride, width, factors[r]);
    }
}
