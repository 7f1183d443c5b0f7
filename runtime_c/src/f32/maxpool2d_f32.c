/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

#include <math.h>

#include "tinyc_dot_f32.h"
#include "tinyc_window_f32.h"

TINYC_FN(maxpool2d_f32)
void tinyc_maxpool2d_f32(const tinyc_pool2d_f32_params *params, const float *in, float *out)
{
    const tinyc_pool2d_f32_params *p = params;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            const tinyc_window rows = tinyc_window_of(oy * p->stride_h - p->pad_top, p->dilation_h, p->in_h, p->kernel_h);
            for (int32_t ox = 0; ox < p->out_w; ox++) {
                const tinyc_window cols =
                    tinyc_window_of(ox * p->stride_w - p->pad_left, p->dilation_w, p->in_w, p->kernel_w);
                for (int32_t c = 0; c < p->channels; c++) {
                    float max = -INFINITY;
                    for (int32_t row = rows.begin; row < rows.end; row++) {
                        const int32_t line = (rows.start + row * p->dilation_h) * p->in_w + cols.start;
                        for (int32_t col = cols.begin; col < cols.end; col++) {
                            const float value = in[(line + col * p->dilation_w) * p->channels + c];
                            max = value > max ? value : max;
                        }
                    }
                    *out++ = tinyc_clamp_f32(max, p->min, p->max);
                }
            }
        }
        in += p->in_h * p->in_w * p->channels;
    }
}
