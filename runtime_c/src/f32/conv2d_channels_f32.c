/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_conv2d_channels_f32.h"

#include "tinyc_dot_f32.h"
#include "tinyc_window_f32.h"

/* One or two neighbouring output pixels; of two, no kernel column lies in the padding. The windows are the first's. */
static void convolve_pixels(const tinyc_conv2d_f32_params *p,
                            const float *image,
                            const float *weights,
                            const float *bias,
                            float *out,
                            int32_t channels,
                            tinyc_window rows,
                            tinyc_window cols,
                            int32_t pixels)
{
    const int32_t group_in = p->in_ch / p->groups;
    const int32_t filter_size = p->kernel_h * p->kernel_w * group_in;
    const int32_t columns = cols.end - cols.begin;
    const int32_t line = p->dilation_h * p->in_w * p->in_ch;
    /* Without dilation and groups neighbouring taps are neighbours in memory, and a kernel row is one run. */
    const int merged = p->dilation_w == 1 && p->groups == 1;
    const tinyc_dot_shape shape = {
        .rows = rows.end - rows.begin,
        .runs = merged ? 1 : columns,
        .run_length = merged ? columns * group_in : group_in,
        .x_row = line,
        .x_run = p->dilation_w * p->in_ch,
        .w_row = p->kernel_w * group_in,
        .w_run = group_in,
    };

    weights += (rows.begin * p->kernel_w + cols.begin) * group_in;
    if (shape.rows > 0 && columns > 0) {
        image += (rows.start * p->in_w + cols.start) * p->in_ch;
        image += rows.begin * line + cols.begin * p->dilation_w * p->in_ch;
    }
    for (int32_t first = 0; first < channels; first += 4) {
        tinyc_dot_tile tile;
        tinyc_dot_start(&tile, weights, filter_size, bias, first, channels);
        if (pixels == 2) {
            tinyc_dot4x2_f32(&tile, &shape, image, p->stride_w * p->in_ch);
        } else {
            tinyc_dot4x1_f32(&tile, &shape, image);
        }
        for (int32_t i = 0; i < pixels; i++) {
            tinyc_dot_store(out + i * p->out_ch + first, tile.sums + 4 * i, channels - first, p->min, p->max);
        }
    }
}

TINYC_FN(conv2d_channels_f32)
void tinyc_conv2d_channels_f32(const tinyc_conv2d_f32_params *params,
                               const float *in,
                               const float *weights,
                               const float *bias,
                               float *out,
                               int32_t channels)
{
    const tinyc_conv2d_f32_params *p = params;
    const int32_t reach = (p->kernel_w - 1) * p->dilation_w;
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            const tinyc_window rows = tinyc_window_of(oy * p->stride_h - p->pad_top, p->dilation_h, p->in_h, p->kernel_h);
            int32_t x = -p->pad_left;
            int32_t ox = 0;
            while (ox < p->out_w) {
                const int pair = ox + 1 < p->out_w && x >= 0 && x + p->stride_w + reach < p->in_w;
                const int32_t pixels = pair ? 2 : 1;
                tinyc_window cols = {x, 0, p->kernel_w};
                if (!pair) {
                    cols = tinyc_window_of(x, p->dilation_w, p->in_w, p->kernel_w);
                }
                convolve_pixels(p, in, weights, bias, out, channels, rows, cols, pixels);
                out += pixels * p->out_ch;
                ox += pixels;
                x += pixels * p->stride_w;
            }
        }
        in += p->in_h * p->in_w * p->in_ch;
    }
}
