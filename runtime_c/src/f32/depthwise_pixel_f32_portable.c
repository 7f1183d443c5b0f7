/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_f32.h"
#include "tinyc_dot_f32.h"

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
        float a0 = 0.0f, a1 = 0.0f, a2 = 0.0f, a3 = 0.0f;
        if (bias) {
            a0 = bias[channel];
            a1 = bias[channel + 1];
            a2 = bias[channel + 2];
            a3 = bias[channel + 3];
        }
        for (int32_t row = 0; row < rows.end - rows.begin; row++) {
            const float *x = in + (first_in + row * line + channel);
            const float *w = weights + (first_weight + row * p->kernel_w * p->out_ch + channel);
            int32_t i = 0, k = 0;
            for (int32_t col = 0; col < columns; col++) {
                a0 += x[i] * w[k];
                a1 += x[i + 1] * w[k + 1];
                a2 += x[i + 2] * w[k + 2];
                a3 += x[i + 3] * w[k + 3];
                i += in_step;
                k += p->out_ch;
            }
        }
        out[channel] = tinyc_clamp_f32(a0, p->min, p->max);
        out[channel + 1] = tinyc_clamp_f32(a1, p->min, p->max);
        out[channel + 2] = tinyc_clamp_f32(a2, p->min, p->max);
        out[channel + 3] = tinyc_clamp_f32(a3, p->min, p->max);
    }
}
