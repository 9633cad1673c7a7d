// What the AVX2 products with quantised weights share. The includer has pushed its target.
#ifndef CK_QUANTISED_AVX2_H
#define CK_QUANTISED_AVX2_H
#include "quantised.h"
#include <immintrin.h>

enum {
    STRIP = 8,           // outputs of a register
    STRIPS = CK_PANEL / STRIP,
};

CK_INLINE __m256i line_at(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }

CK_INLINE __m256i four_at(const int8_t *inputs) { return _mm256_set1_epi32((int)ck_load32(inputs)); }

CK_INLINE __m256 scales_at(const uint8_t *halves) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)halves)); }

/// Adds the bias, adds to or replaces y, for one row and the strip at output `first`.
CK_INLINE void finish(const ck_quantised_matmul *job, size_t row, size_t first, __m256 sums) {
    if (first >= job->outputs) return;
    float *y = job->y + row * job->y_stride + first;
    if (first + STRIP <= job->outputs) {
        if (job->bias) sums = _mm256_add_ps(sums, _mm256_loadu_ps(job->bias + first));
        _mm256_storeu_ps(y, job->adding ? _mm256_add_ps(_mm256_loadu_ps(y), sums) : sums);
        return;
    }
    float values[STRIP];
    _mm256_storeu_ps(values, sums);
    for (size_t n = 0; first + n < job->outputs; n++) {
        float value = job->bias ? values[n] + job->bias[first + n] : values[n];
        y[n] = job->adding ? y[n] + value : value;
    }
}

CK_INLINE void activate_all(const ck_quantised_matmul *job, ck_range rows, ck_range panels) {
    if (job->activation == CK_NONE) return;
    size_t first = panels.begin * CK_PANEL, last = CK_MIN(panels.end * CK_PANEL, job->outputs);
    for (size_t m = rows.begin; m < rows.end; m++) {
        ck_activate_avx2(job->y + m * job->y_stride + first, last - first, job->activation);
    }
}

#endif
