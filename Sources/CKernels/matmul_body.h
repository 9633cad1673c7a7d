// The float product, over product_body.h.

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
                .panel_units = CK_PANEL * inputs, .depth = depth,
                .bias = job->bias && k == 0 ? job->bias + first : NULL,
                .c = y, .c_stride = job->y_stride, .continues = job->adding || k > 0,
            };
            multiply_panels(count, &p, columns);
            if (job->activation == CK_NONE || k + depth < inputs) continue;
            for (size_t r = 0; r < count; r++) CK_ROW(activate)(y + r * job->y_stride, columns, job->activation);
        }
    }
}
