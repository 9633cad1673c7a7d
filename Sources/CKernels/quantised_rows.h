// Rows of a table, written once over the registers of vector_*.h for numbers that are not quantised. The including file
// defines CK(name).

/// Low and high halves of the blocks of four apart, 64 + 64 bytes: as the nibbles of a row lie. Filled up with zeros.
CK_INLINE void split_blocks(const int8_t *x, size_t inputs, int8_t *split) {
    size_t blocks = inputs / CK_BLOCK;
    for (size_t b = 0; b < (blocks + 3) / 4 * 4; b++, x += CK_BLOCK) {
        int8_t *out = split + b / 4 * 128 + b % 4 * 16;
        if (b < blocks) {
            memcpy(out, x, 16);
            memcpy(out + 64, x + 16, 16);
        } else {
            memset(out, 0, 16);
            memset(out + 64, 0, 16);
        }
    }
}

CK_INLINE const uint8_t *table_row(const ck_row_table *table, int32_t row) {
    return table->rows + (size_t)row * ck_row_bytes(table->format, table->columns);
}

CK_INLINE vf v_load_wide(int format, const uint8_t *row, size_t k) {
    return format == CK_F32 ? v_load((const float *)(row + 4 * k)) : v_load_bf16(row + 2 * k);
}

CK_INLINE float dot_wide(const ck_row_table *table, const uint8_t *row, const float *x) {
    vf sums[4] = {v_set(0), v_set(0), v_set(0), v_set(0)};
    for (size_t k = 0; k < table->columns; k += CK_BLOCK) {
        for (int u = 0; u < CK_BLOCK / VL; u++) {
            vf w = v_load_wide(table->format, row, k + (size_t)u * VL);
            sums[u] = v_fma(w, v_load(x + k + u * VL), sums[u]);
        }
    }
    return v_total(v_add(v_add(sums[0], sums[1]), v_add(sums[2], sums[3])));
}

CK_INLINE void add_wide(const ck_row_table *table, const uint8_t *row, float weight, ck_range columns, float *y) {
    for (size_t k = columns.begin; k < columns.end; k += VL, y += VL) {
        v_store(y, v_fma(v_set(weight), v_load_wide(table->format, row, k), v_load(y)));
    }
}

/// Asks for a row, which begins anywhere in a line: rows are too short for the hardware to guess.
CK_INLINE void prefetch_row(const uint8_t *row, size_t bytes) { ck_prefetch(row, bytes + 63); }
