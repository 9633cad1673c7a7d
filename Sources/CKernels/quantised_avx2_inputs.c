#if defined(__x86_64__)
#include "quantised.h"
#include <immintrin.h>
#include <math.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

CK_INLINE int32_t total_of(__m256i eight) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
}

CK_INLINE float largest_magnitude(const float *x, size_t n) {
    __m256i most = _mm256_setzero_si256(); // as integers, magnitudes keep their order and NaN tops them
    for (size_t k = 0; k < n; k += 8) {
        __m256i bits = _mm256_loadu_si256((const __m256i *)(x + k));
        most = _mm256_max_epu32(most, _mm256_and_si256(bits, _mm256_set1_epi32(0x7FFFFFFF)));
    }
    uint32_t each[8], largest = 0;
    _mm256_storeu_si256((__m256i *)each, most);
    for (int i = 0; i < 8; i++) largest = each[i] > largest ? each[i] : largest;
    float result;
    memcpy(&result, &largest, sizeof result);
    return result;
}

CK_INLINE __m256i rounded(const float *x, __m256 factor) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), factor));
}

void ck_quantise_avx2(const float *x, size_t stride, const ck_quantised_inputs *to, ck_range rows) {
    for (size_t m = rows.begin; m < rows.end; m++) {
        ck_input_row row = ck_input_row_at(to, m);
        for (size_t s = 0; s < ck_spans(to->inputs); s++) {
            const float *from = x + m * stride + s * CK_SPAN;
            size_t blocks = ck_blocks_of(to->inputs, s);
            float largest = largest_magnitude(from, blocks * CK_BLOCK);
            int usable = largest >= 1e-30f && largest < INFINITY;
            __m256 factor = _mm256_set1_ps(usable ? 127 / largest : 0);
            int32_t total = 0;
            for (size_t b = 0; b < blocks; b++, from += CK_BLOCK) {
                __m256i bytes = _mm256_setzero_si256(), sums = bytes;
                if (usable) {
                    __m256i a = rounded(from, factor), c = rounded(from + 8, factor);
                    __m256i d = rounded(from + 16, factor), e = rounded(from + 24, factor);
                    sums = _mm256_add_epi32(_mm256_add_epi32(a, c), _mm256_add_epi32(d, e));
                    bytes = _mm256_packs_epi16(_mm256_packs_epi32(a, c), _mm256_packs_epi32(d, e));
                    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
                }
                _mm256_storeu_si256((__m256i *)(row.bytes + s * CK_SPAN + b * CK_BLOCK), bytes);
                int32_t sum = total_of(sums);
                row.sums[s * CK_SPAN_BLOCKS + b] = sum;
                total += sum;
            }
            row.scales[s] = usable ? largest / 127 : largest < INFINITY ? 0 : NAN;
            row.offsets[s] = -128 * total;
        }
    }
}

#pragma clang attribute pop
#endif
