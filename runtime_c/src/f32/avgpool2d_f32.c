/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

#include "tinyc_dot_f32.h"
#include "tinyc_window_f32.h"

/* How many taps of a window count in the divisor, in one dimension. */
static int32_t counted_taps(const tinyc_window *window, int32_t dilation, int32_t size, int32_t pad_begin, int32_t pad_end,
                            int32_t taps, int32_t include_pad)
{
    if (include_pad) {
        const tinyc_window padded = tinyc_window_of(window->start + pad_begin, dilation, size + pad_begin + pad_end, taps);
        return padded.end - padded.begin;
    }
    return window->end - window->begin;
}

TINYC_FN(avgpool2d_f32)
void tinyc_avgpool2d_f32(const tinyc_pool2d_f32_params *params, const float *in, float *out)
{
    const tinyc_pool2d_f32_params *p = params;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            const tinyc_window rows = tinyc_window_of(oy * p->stride_h - p->pad_top, p->dilation_h, p->in_h, p->kernel_h);
            const int32_t count_h = counted_taps(
                &rows, p->dilation_h, p->in_h, p->pad_top, p->pad_bottom, p->kernel_h, p->count_include_pad);
            for (int32_t ox = 0; ox < p->out_w; ox++) {
                const tinyc_window cols =
                    tinyc_window_of(ox * p->stride_w - p->pad_left, p->dilation_w, p->in_w, p->kernel_w);
                const int32_t count = count_h * counted_taps(&cols, p->dilation_w, p->in_w, p->pad_left, p->pad_right,
                                                             p->kernel_w, p->count_include_pad);
                for (int32_t c = 0; c < p->channels; c++) {
                    float sum = 0.0f;
                    for (int32_t row = rows.begin; row < rows.end; row++) {
                        const int32_t line = (rows.start + row * p->dilation_h) * p->in_w + cols.start;
                        for (int32_t col = cols.begin; col < cols.end; col++) {
                            sum += in[(line + col * p->dilation_w) * p->channels + c];
                        }
                    }
                    *out++ = tinyc_clamp_f32(count > 0 ? sum / (float)count : 0.0f, p->min, p->max);
                }
            }
        }
        in += p->in_h * p->in_w * p->channels;
    }
}
