// The definition of the int8 product. Its sums are exact, so every variant equals them bit for bit.
#include "internal.h"
#include <math.h>

void ck_matmul_s8_scalar(const ck_matmul *job, ck_range rows, ck_range panels) {
    int8_t x8[CK_MAX_INPUTS];
    size_t groups = (job->inputs + CK_GROUP - 1) / CK_GROUP;
    size_t first = panels.begin * CK_PANEL, last = CK_MIN(panels.end * CK_PANEL, job->outputs);
    for (size_t m = rows.begin; m < rows.end; m++) {
        const float *x = job->x + m * job->x_stride;
        float *y = job->y + m * job->y_stride, largest = 0;
        for (size_t k = 0; k < job->inputs; k++) {
            if (!isfinite(x[k])) largest = INFINITY;
            else if (fabsf(x[k]) > largest) largest = fabsf(x[k]);
        }
        int usable = largest >= 1e-30f && largest < INFINITY;
        float scale = usable ? largest / 127 : largest < INFINITY ? 0 : NAN;
        for (size_t k = 0; k < job->inputs; k++) x8[k] = usable ? (int8_t)lrintf(x[k] * (127 / largest)) : 0;
        for (size_t n = first; n < last; n++) {
            size_t start = (n / CK_PANEL * groups * CK_PANEL + n % CK_PANEL) * CK_GROUP;
            const int8_t *w = (const int8_t *)job->weights + start;
            int32_t sum = 0;
            for (size_t k = 0; k < job->inputs; k++) {
                sum += x8[k] * w[k / CK_GROUP * CK_PANEL * CK_GROUP + k % CK_GROUP];
            }
            float value = (float)sum * (scale * job->scales[n]) + (job->bias ? job->bias[n] : 0);
            y[n] = job->adding ? y[n] + value : value;
        }
        ck_activate_scalar(y + first, last - first, job->activation);
    }
}
