/* SPDX-License-Identifier: Apache-2.0 */
/* Four products at a time; lanes past the end are loaded as zeros. */
#include "tinyc_dot_f32_w8.h"

#include <arm_mve.h>

static inline float sum_of_lanes(float32x4_t v)
{
    return (vgetq_lane_f32(v, 0) + vgetq_lane_f32(v, 1)) + (vgetq_lane_f32(v, 2) + vgetq_lane_f32(v, 3));
}

static inline float32x4_t add_products(float32x4_t sums, float32x4_t values, const int8_t *weights, mve_pred16_t lanes)
{
    return vfmaq_f32(sums, values, vcvtq_f32_s32(vldrbq_z_s32(weights, lanes)));
}

TINYC_FN(dot4_f32_w8)
void tinyc_dot4_f32_w8(const int8_t *const weights[4], const float *x, int32_t count, float sums[4])
{
    const int8_t *w0 = weights[0], *w1 = weights[1], *w2 = weights[2], *w3 = weights[3];
    float32x4_t a0 = vdupq_n_f32(0.0f), a1 = a0, a2 = a0, a3 = a0;
    for (int32_t i = 0; i < count; i += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(count - i));
        const float32x4_t values = vld1q_z_f32(x + i, lanes);
        a0 = add_products(a0, values, w0 + i, lanes);
        a1 = add_products(a1, values, w1 + i, lanes);
        a2 = add_products(a2, values, w2 + i, lanes);
        a3 = add_products(a3, values, w3 + i, lanes);
    }
    sums[0] = sum_of_lanes(a0);
    sums[1] = sum_of_lanes(a1);
    sums[2] = sum_of_lanes(a2);
    sums[3] = sum_of_lanes(a3);
}
