/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four products at a time. Helium has eight vector registers: four hold sums, so two inputs take two passes over
 * pairs of weight rows. Lanes past the end of a run are loaded as zeros.
 */
#include "tinyc_dot_f32.h"

#include <arm_mve.h>

static inline float sum_of_lanes(float32x4_t v)
{
    return (vgetq_lane_f32(v, 0) + vgetq_lane_f32(v, 1)) + (vgetq_lane_f32(v, 2) + vgetq_lane_f32(v, 3));
}

TINYC_FN(dot4x1_f32)
void tinyc_dot4x1_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x)
{
    float32x4_t a0 = vdupq_n_f32(0.0f), a1 = a0, a2 = a0, a3 = a0;
    for (int32_t row = 0; row < shape->rows; row++) {
        for (int32_t run = 0; run < shape->runs; run++) {
            const float *v = x + (row * shape->x_row + run * shape->x_run);
            const int32_t offset = row * shape->w_row + run * shape->w_run;
            const float *w0 = tile->weights[0] + offset, *w1 = tile->weights[1] + offset;
            const float *w2 = tile->weights[2] + offset, *w3 = tile->weights[3] + offset;
            int32_t i = 0;
            for (; i + 4 <= shape->run_length; i += 4) {
                const float32x4_t values = vld1q_f32(v + i);
                a0 = vfmaq_f32(a0, values, vld1q_f32(w0 + i));
                a1 = vfmaq_f32(a1, values, vld1q_f32(w1 + i));
                a2 = vfmaq_f32(a2, values, vld1q_f32(w2 + i));
                a3 = vfmaq_f32(a3, values, vld1q_f32(w3 + i));
            }
            if (i < shape->run_length) {
                const mve_pred16_t lanes = vctp32q((uint32_t)(shape->run_length - i));
                const float32x4_t values = vld1q_z_f32(v + i, lanes);
                a0 = vfmaq_f32(a0, values, vld1q_z_f32(w0 + i, lanes));
                a1 = vfmaq_f32(a1, values, vld1q_z_f32(w1 + i, lanes));
                a2 = vfmaq_f32(a2, values, vld1q_z_f32(w2 + i, lanes));
                a3 = vfmaq_f32(a3, values, vld1q_z_f32(w3 + i, lanes));
            }
        }
    }
    tile->sums[0] += sum_of_lanes(a0);
    tile->sums[1] += sum_of_lanes(a1);
    tile->sums[2] += sum_of_lanes(a2);
    tile->sums[3] += sum_of_lanes(a3);
}

/* Weight rows `first` and first + 1. */
static void dot2x2(tinyc_dot_tile *tile, int32_t first, const tinyc_dot_shape *shape, const float *x, int32_t step)
{
    float32x4_t a0 = vdupq_n_f32(0.0f), a1 = a0, b0 = a0, b1 = a0;
    for (int32_t row = 0; row < shape->rows; row++) {
        for (int32_t run = 0; run < shape->runs; run++) {
            const float *v = x + (row * shape->x_row + run * shape->x_run);
            const float *u = v + step;
            const int32_t offset = row * shape->w_row + run * shape->w_run;
            const float *w0 = tile->weights[first] + offset, *w1 = tile->weights[first + 1] + offset;
            int32_t i = 0;
            for (; i + 4 <= shape->run_length; i += 4) {
                const float32x4_t values = vld1q_f32(v + i), others = vld1q_f32(u + i);
                float32x4_t w = vld1q_f32(w0 + i);
                a0 = vfmaq_f32(a0, values, w);
                b0 = vfmaq_f32(b0, others, w);
                w = vld1q_f32(w1 + i);
                a1 = vfmaq_f32(a1, values, w);
                b1 = vfmaq_f32(b1, others, w);
            }
            if (i < shape->run_length) {
                const mve_pred16_t lanes = vctp32q((uint32_t)(shape->run_length - i));
                const float32x4_t values = vld1q_z_f32(v + i, lanes), others = vld1q_z_f32(u + i, lanes);
                float32x4_t w = vld1q_z_f32(w0 + i, lanes);
                a0 = vfmaq_f32(a0, values, w);
                b0 = vfmaq_f32(b0, others, w);
                w = vld1q_z_f32(w1 + i, lanes);
                a1 = vfmaq_f32(a1, values, w);
                b1 = vfmaq_f32(b1, others, w);
            }
        }
    }
    tile->sums[first] += sum_of_lanes(a0);
    tile->sums[first + 1] += sum_of_lanes(a1);
    tile->sums[first + 4] += sum_of_lanes(b0);
    tile->sums[first + 5] += sum_of_lanes(b1);
}

TINYC_FN(dot4x2_f32)
void tinyc_dot4x2_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x, int32_t step)
{
    dot2x2(tile, 0, shape, x, step);
    dot2x2(tile, 2, shape, x, step);
}
