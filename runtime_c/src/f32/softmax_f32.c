/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

#include "tinyc_activation_f32.h"

/* One vector of `axis` elements, `stride` apart. */
static void softmax_vector(const float *in, float *out, int32_t axis, int32_t stride)
{
    float max = in[0];
    float sum = 0.0f;
    for (int32_t i = 0; i < axis; i++) {
        max = in[i * stride] > max ? in[i * stride] : max;
    }
    for (int32_t i = 0; i < axis; i++) {
        const float e = tinyc_exp_of_negative_f32(in[i * stride] - max);
        out[i * stride] = e;
        sum += e;
    }
    for (int32_t i = 0; i < axis; i++) {
        out[i * stride] /= sum;
    }
}

TINYC_FN(softmax_f32)
void tinyc_softmax_f32(const float *in, float *out, int32_t outer, int32_t axis, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t i = 0; i < inner; i++) {
            softmax_vector(in + i, out + i, axis, inner);
        }
        in += axis * inner;
        out += axis * inner;
    }
}
