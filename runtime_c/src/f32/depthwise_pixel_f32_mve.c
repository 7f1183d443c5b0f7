/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_f32.h"

#include <arm_mve.h>

TINYC_FN(depthwise_pixel_f32)
void tinyc_depthwise_pixel_f32(const tinyc_conv2d_f32_params *params, tinyc_window rows, tinyc_window cols,
    const float *in, const float *weights, const float *bias, float *out)
{
    const tinyc_conv2d_f32_params *p = params;
    const int32_t in_step = p->dilation_w * p->in_ch;
    const int32_t line = p->dilation_h * p->in_w * p->in_ch;
    const int32_t first_in = (rows.start * p->in_w + cols.start) * p->in_ch + rows.begin * line + cols.begin * in_step;
    const int32_t first_weight = (rows.begin * p->kernel_w + cols.begin) * p->out_ch;
    const int32_t columns = cols.end - cols.begin;
    for (int32_t channel = 0; channel + 4 <= p->out_ch; channel += 4) {
        float32x4_t sums = bias ? vld1q_f32(bias + channel) : vdupq_n_f32(0.0f);
        for (int32_t row = 0; row < rows.end - rows.begin; row++) {
            const float *x = in + (first_in + row * line + channel);
            const float *w = weights + (first_weight + row * p->kernel_w * p->out_ch + channel);
            int32_t i = 0, k = 0;
            for (int32_t col = 0; col < columns; col++) {
                sums = vfmaq_f32(sums, vld1q_f32(x + i), vld1q_f32(w + k));
                i += in_step;
                k += p->out_ch;
            }
        }
        sums = vmaxnmq_f32(sums, vdupq_n_f32(p->min));
        vst1q_f32(out + channel, vminnmq_f32(sums, vdupq_n_f32(p->max)));
    }
}
