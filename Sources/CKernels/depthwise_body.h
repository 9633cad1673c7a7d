// Depthwise convolution, written once over the registers of vector_*.h: one channel a lane, DEPTHWISE_PIXELS outputs of a
// row side by side. A row of taps is held in registers and every input is loaded once for all taps that it meets.
enum { DEPTHWISE_PIXELS = 8 }; // sums; with 5 taps and an input 14 of 16 AVX2 registers

typedef struct {
    const float *x;         // channel c of input row 0 as the job holds it, column 0
    const float *weights;   // channel c
    const float *bias;      // channel c
    float *y;               // channel c of the first output
    ptrdiff_t row, column;  // input row (as the job holds it) and column under the first output's first tap
    size_t first_tap, end_tap; // rows of taps inside the picture
    size_t outputs, lanes;  // of the block and of the register that count
    float low, high;
} depthwise_block;

/// `edge`: some columns or outputs may lie outside; `partial`: some lanes do. Constants after inlining.
CK_INLINE void depthwise_pixels(const int kernel, const int stride, const int edge, const int partial,
                                const ck_depthwise *job, const depthwise_block *b) {
    size_t channels = job->channels;
    vf sums[DEPTHWISE_PIXELS], start = partial ? v_load_tail(b->bias, b->lanes, 0) : v_load(b->bias);
    for (int p = 0; p < DEPTHWISE_PIXELS; p++) sums[p] = start;
    for (size_t tap = b->first_tap; tap < b->end_tap; tap++) {
        vf w[5];
        const float *weights = b->weights + tap * (size_t)kernel * channels;
#pragma clang loop unroll(full)
        for (int t = 0; t < kernel; t++, weights += channels) {
            w[t] = partial ? v_load_tail(weights, b->lanes, 0) : v_load(weights);
        }
        ptrdiff_t line = (b->row + (ptrdiff_t)tap) * (ptrdiff_t)job->width + b->column;
#pragma clang loop unroll(full)
        for (int j = 0; j < (DEPTHWISE_PIXELS - 1) * stride + kernel; j++) {
            if (edge && (size_t)(b->column + j) >= job->width) continue; // also where it is negative
            const float *x = b->x + (line + j) * (ptrdiff_t)channels;
            vf input = partial ? v_load_tail(x, b->lanes, 0) : v_load(x);
#pragma clang loop unroll(full)
            for (int t = 0; t < kernel; t++) {
                int p = (j - t) / stride;
                if (j >= t && p * stride == j - t && p < DEPTHWISE_PIXELS) sums[p] = v_fma(input, w[t], sums[p]);
            }
        }
    }
    for (int p = 0; p < DEPTHWISE_PIXELS; p++) {
        if (edge && (size_t)p >= b->outputs) break;
        vf y = v_min(v_set(b->high), v_max(v_set(b->low), sums[p])); // NaN passes
        if (partial) v_store_tail(b->y + (size_t)p * channels, b->lanes, y);
        else v_store(b->y + (size_t)p * channels, y);
    }
}

CK_INLINE void depthwise_rows(const int kernel, const int stride, const ck_depthwise *job, ck_range rows) {
    size_t channels = job->channels, whole = channels / VL * VL;
    enum { REACH = DEPTHWISE_PIXELS - 1 };
    for (size_t row = rows.begin; row < rows.end; row++) {
        ptrdiff_t top = (ptrdiff_t)(row * (size_t)stride) - (ptrdiff_t)job->pad_top;
        ptrdiff_t below = (ptrdiff_t)job->height - top;
        float *y = job->y + (row - rows.begin) * job->out_width * channels;
        for (size_t column = 0; column < job->out_width; column += DEPTHWISE_PIXELS) {
            size_t outputs = CK_MIN(job->out_width - column, (size_t)DEPTHWISE_PIXELS);
            depthwise_block b = {
                .row = top - (ptrdiff_t)job->x_row,
                .column = (ptrdiff_t)(column * (size_t)stride) - (ptrdiff_t)job->pad_left,
                .first_tap = top < 0 ? (size_t)-top : 0,
                .end_tap = below < kernel ? (below < 0 ? 0 : (size_t)below) : (size_t)kernel,
                .outputs = outputs, .low = ck_low(job->activation), .high = ck_high(job->activation),
            };
            int inside = outputs == DEPTHWISE_PIXELS && b.column >= 0 &&
                         b.column + REACH * stride + kernel <= (ptrdiff_t)job->width;
            for (size_t c = 0; c < channels; c += VL) {
                b.x = job->x + c;
                b.weights = job->weights + c;
                b.bias = job->bias + c;
                b.y = y + column * channels + c;
                b.lanes = channels - c;
                if (c == whole) depthwise_pixels(kernel, stride, 1, 1, job, &b);
                else if (inside) depthwise_pixels(kernel, stride, 0, 0, job, &b);
                else depthwise_pixels(kernel, stride, 1, 0, job, &b);
            }
        }
        if (!ck_clamps(job->activation)) CK(activate)(y, job->out_width * channels, job->activation);
    }
}

void CK(depthwise)(const ck_depthwise *job, ck_range rows) {
    if (job->kernel == 3 && job->stride == 1) depthwise_rows(3, 1, job, rows);
    else if (job->kernel == 3) depthwise_rows(3, 2, job, rows);
    else if (job->stride == 1) depthwise_rows(5, 1, job, rows);
    else depthwise_rows(5, 2, job, rows);
}
