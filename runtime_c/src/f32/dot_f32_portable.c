/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight sums, a weight and two inputs: single-precision FPUs with 32 registers hold them without spilling.
 */
#include "tinyc_dot_f32.h"

TINYC_FN(dot4x1_f32)
void tinyc_dot4x1_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x)
{
    float a0 = tile->sums[0], a1 = tile->sums[1], a2 = tile->sums[2], a3 = tile->sums[3];
    for (int32_t row = 0; row < shape->rows; row++) {
        for (int32_t run = 0; run < shape->runs; run++) {
            const float *v = x + (row * shape->x_row + run * shape->x_run);
            const int32_t offset = row * shape->w_row + run * shape->w_run;
            const float *w0 = tile->weights[0] + offset, *w1 = tile->weights[1] + offset;
            const float *w2 = tile->weights[2] + offset, *w3 = tile->weights[3] + offset;
            for (int32_t i = 0; i < shape->run_length; i++) {
                a0 += v[i] * w0[i];
                a1 += v[i] * w1[i];
                a2 += v[i] * w2[i];
                a3 += v[i] * w3[i];
            }
        }
    }
    tile->sums[0] = a0;
    tile->sums[1] = a1;
    tile->sums[2] = a2;
    tile->sums[3] = a3;
}

TINYC_FN(dot4x2_f32)
void tinyc_dot4x2_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x, int32_t step)
{
    float a0 = tile->sums[0], a1 = tile->sums[1], a2 = tile->sums[2], a3 = tile->sums[3];
    float b0 = tile->sums[4], b1 = tile->sums[5], b2 = tile->sums[6], b3 = tile->sums[7];
    for (int32_t row = 0; row < shape->rows; row++) {
        for (int32_t run = 0; run < shape->runs; run++) {
            const float *v = x + (row * shape->x_row + run * shape->x_run);
            const float *u = v + step;
            const int32_t offset = row * shape->w_row + run * shape->w_run;
            const float *w0 = tile->weights[0] + offset, *w1 = tile->weights[1] + offset;
            const float *w2 = tile->weights[2] + offset, *w3 = tile->weights[3] + offset;
            for (int32_t i = 0; i < shape->run_length; i++) {
                float w = w0[i];
                a0 += v[i] * w;
                b0 += u[i] * w;
                w = w1[i];
                a1 += v[i] * w;
                b1 += u[i] * w;
                w = w2[i];
                a2 += v[i] * w;
                b2 += u[i] * w;
                w = w3[i];
                a3 += v[i] * w;
                b3 += u[i] * w;
            }
        }
    }
    tile->sums[0] = a0;
    tile->sums[1] = a1;
    tile->sums[2] = a2;
    tile->sums[3] = a3;
    tile->sums[4] = b0;
    tile->sums[5] = b1;
    tile->sums[6] = b2;
    tile->sums[7] = b3;
}
