/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_dot_f32_w8.h"

TINYC_FN(dot4_f32_w8)
void tinyc_dot4_f32_w8(const int8_t *const weights[4], const float *x, int32_t count, float sums[4])
{
    const int8_t *w0 = weights[0], *w1 = weights[1], *w2 = weights[2], *w3 = weights[3];
    float a0 = 0.0f, a1 = 0.0f, a2 = 0.0f, a3 = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        const float value = x[i];
        a0 += value * (float)w0[i];
        a1 += value * (float)w1[i];
        a2 += value * (float)w2[i];
        a3 += value * (float)w3[i];
    }
    sums[0] = a0;
    sums[1] = a1;
    sums[2] = a2;
    sums[3] = a3;
}
