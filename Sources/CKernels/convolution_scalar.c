// The definition of depthwise convolution, and the gathering of windows for the dense one.
#include "internal.h"
#include <string.h>

void ck_depthwise_scalar(const ck_depthwise *job, ck_range rows) {
    size_t channels = job->channels;
    for (size_t row = rows.begin; row < rows.end; row++) {
        float *y = job->y + (row - rows.begin) * job->out_width * channels;
        for (size_t column = 0; column < job->out_width; column++) {
            for (size_t c = 0; c < channels; c++) {
                float sum = job->bias[c];
                for (size_t tap = 0; tap < job->kernel * job->kernel; tap++) {
                    // Before the picture these wrap, and so are as far outside as beyond it.
                    size_t r = row * job->stride + tap / job->kernel - job->pad_top;
                    size_t q = column * job->stride + tap % job->kernel - job->pad_left;
                    if (r >= job->height || q >= job->width) continue;
                    sum += job->x[((r - job->x_row) * job->width + q) * channels + c] * job->weights[tap * channels + c];
                }
                y[column * channels + c] = sum;
            }
        }
        ck_activate_scalar(y, job->out_width * channels, job->activation);
    }
}

void ck_gather_windows(const ck_windows *job, ck_range rows, float *out) {
    size_t channels = job->channels, run = job->kernel * channels;
    for (size_t row = rows.begin; row < rows.end; row++) {
        for (size_t column = 0; column < job->out_width; column++) {
            size_t left = column * job->stride - job->pad_left;
            int inside = column * job->stride >= job->pad_left && left + job->kernel <= job->width;
            for (size_t i = 0; i < job->kernel; i++, out += run) {
                size_t r = row * job->stride + i - job->pad_top;
                if (r >= job->height) {
                    memset(out, 0, run * sizeof(float));
                } else if (inside) {
                    const float *x = job->x + (r * job->width + left) * channels;
                    for (size_t k = 0; k < run; k++) out[k] = x[k]; // short runs: a call would cost more
                } else {
                    for (size_t j = 0; j < job->kernel; j++) {
                        const float *x = job->x + (r * job->width + left + j) * channels;
                        if (left + j < job->width) memcpy(out + j * channels, x, channels * sizeof(float));
                        else memset(out + j * channels, 0, channels * sizeof(float));
                    }
                }
            }
        }
    }
}
