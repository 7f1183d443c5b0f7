/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

#include "tinyc_depthwise_f32.h"
#include "tinyc_dot_f32.h"

/* One output channel of one pixel. */
static float convolve_channel(const tinyc_conv2d_f32_params *p,
                              tinyc_window rows,
                              tinyc_window cols,
                              const float *in,
                              const float *weights,
                              float sum)
{
    for (int32_t row = rows.begin; row < rows.end; row++) {
        const float *x = in + (rows.start + row * p->dilation_h) * p->in_w * p->in_ch;
        const float *w = weights + row * p->kernel_w * p->out_ch;
        for (int32_t col = cols.begin; col < cols.end; col++) {
            sum += x[(cols.start + col * p->dilation_w) * p->in_ch] * w[col * p->out_ch];
        }
    }
    return sum;
}

TINYC_FN(depthwise_conv2d_f32)
void tinyc_depthwise_conv2d_f32(const tinyc_conv2d_f32_params *params,
                                const float *in,
                                const float *weights,
                                const float *bias,
                                float *out)
{
    const tinyc_conv2d_f32_params *p = params;
    const int32_t multiplier = p->out_ch / p->in_ch;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            const tinyc_window rows = tinyc_window_of(oy * p->stride_h - p->pad_top, p->dilation_h, p->in_h, p->kernel_h);
            for (int32_t ox = 0; ox < p->out_w; ox++) {
                const tinyc_window cols =
                    tinyc_window_of(ox * p->stride_w - p->pad_left, p->dilation_w, p->in_w, p->kernel_w);
                int32_t channel = 0;
                if (multiplier == 1) {
                    tinyc_depthwise_pixel_f32(p, rows, cols, in, weights, bias, out);
                    channel = p->out_ch - p->out_ch % 4;
                }
                for (; channel < p->out_ch; channel++) {
                    const float sum = convolve_channel(
                        p, rows, cols, in + channel / multiplier, weights + channel, bias ? bias[channel] : 0.0f);
                    out[channel] = tinyc_clamp_f32(sum, p->min, p->max);
                }
                out += p->out_ch;
            }
        }
        in += p->in_h * p->in_w * p->in_ch;
    }
}
