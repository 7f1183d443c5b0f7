/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_f32.h"

/*
 * How depthwise_blocks_f32_fpu.S walks over a window, in the order that it reads: the first channel's operands, numbers
 * of channels, rows and columns; bytes from a tap to the next, and what the end of a row lacks to the next one's
 * beginning. It moves x and w.
 */
typedef struct {
    const float *x, *w;
    float *out;
    const float *bias;
    int32_t channels, rows, columns;
    int32_t x_step, x_skip;
    int32_t w_step, w_skip;
    float min, max;
} tinyc_depthwise_walk;

#define tinyc_depthwise_blocks_f32 tinyc1_depthwise_blocks_f32

void tinyc_depthwise_blocks_f32(tinyc_depthwise_walk *walk);

TINYC_FN(depthwise_pixel_f32)
void tinyc_depthwise_pixel_f32(const tinyc_conv2d_f32_params *params, tinyc_window rows, tinyc_window cols,
    const float *in, const float *weights, const float *bias, float *out)
{
    const tinyc_conv2d_f32_params *p = params;
    const int32_t x_step = p->dilation_w * p->in_ch;
    const int32_t columns = cols.end - cols.begin;
    tinyc_depthwise_walk walk = {
        in, weights, out, bias, p->out_ch, columns > 0 ? rows.end - rows.begin : 0, columns,
        4 * x_step, 4 * (p->dilation_h * p->in_w * p->in_ch - columns * x_step),
        4 * p->out_ch, 4 * (p->kernel_w - columns) * p->out_ch, p->min, p->max,
    };
    if (walk.rows > 0) {
        const int32_t y = rows.start + rows.begin * p->dilation_h;
        const int32_t x = cols.start + cols.begin * p->dilation_w;
        walk.x += (y * p->in_w + x) * p->in_ch;
        walk.w += (rows.begin * p->kernel_w + cols.begin) * p->out_ch;
    }
    tinyc_depthwise_blocks_f32(&walk);
}
