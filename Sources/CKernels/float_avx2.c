#if defined(__x86_64__)
#include "internal.h"
#include "vision.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define CK(name) ck_##name##_avx2
#define CK_ROW(name) ck_##name##_avx2
#define MR 6 // 12 sums, 2 weights, 1 input of 16 registers
#include "vector_avx2.h"
#include "exp_body.h"
#include "float_body.h"
#include "depthwise_body.h"
#include "vision_body.h"

#define v_step v_fma
#include "product_body.h"
#include "matmul_body.h"

#define CK_ATTEND CK(attend)
#define UNITS(n) (n)
#define narrow(row, n) (void)(row)
#include "attend_body.h"

#pragma clang attribute pop
#endif
