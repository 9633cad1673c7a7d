#if defined(__x86_64__)
#include "internal.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,f16c"))), \
                             apply_to = function)

#define CK_ROW(name) ck_##name##_avx512
#define MR 12 // 24 sums, 2 weights, 1 input of 32 registers
#include "vector_avx512.h"
#include "exp_body.h"

/// Two products per lane; a register of pairs travels as one of floats, bit for bit.
CK_INLINE vf v_step(vf x, vf w, vf sum) { return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w); }
#include "product_body.h"

#define UNITS(n) (((n) + 1) / 2)
CK_INLINE void narrow(float *row, size_t n) {
    char *out = (char *)row; // halves lie before the floats that are still to be read
    for (size_t i = 0; i < n; i += 2 * VL, out += 2 * VL * sizeof(uint16_t)) {
        vf low = i + VL <= n ? v_load(row + i) : v_load_tail(row + i, n - i, 0);
        vf high = v_set(0);
        if (i + 2 * VL <= n) high = v_load(row + i + VL);
        else if (i + VL < n) high = v_load_tail(row + i + VL, n - i - VL, 0);
        _mm512_storeu_ps(out, (vf)_mm512_cvtne2ps_pbh(high, low));
    }
}
#define CK_ATTEND ck_attend_bf16_avx512
#include "attend_body.h"

#pragma clang attribute pop
#endif
