/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

#include "tinyc_dot_f32.h"

/* How a dimension's taps meet the input: only every `period`-th tap reaches an element, each `back` elements before
 * the one of the tap before. */
typedef struct {
    int32_t stride, dilation, size, kernel;
    int32_t period, back;
} spreading;

/* The taps that reach one place of the result: the first, how many, and the element that the first one reads. */
typedef struct {
    int32_t tap, count, place;
} reaching;

static spreading spreading_of(int32_t stride, int32_t dilation, int32_t size, int32_t kernel)
{
    int32_t a = stride, b = dilation; /* a becomes their greatest common divisor */
    while (b != 0) {
        const int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return (spreading){stride, dilation, size, kernel, stride / a, dilation / a};
}

/* `at`: the place in the result before anything is cut off. */
static reaching reaching_of(const spreading *s, int32_t at)
{
    for (int32_t tap = 0; tap < s->period && tap < s->kernel; tap++) {
        const int32_t reach = at - tap * s->dilation;
        if (reach % s->stride == 0) {
            const int32_t place = reach / s->stride;
            const int32_t all = (s->kernel - 1 - tap) / s->period + 1;
            const int32_t begin = place >= s->size ? (place - s->size) / s->back + 1 : 0;
            int32_t end = place < 0 ? 0 : place / s->back + 1;
            end = end < all ? end : all;
            return (reaching){tap + begin * s->period, end > begin ? end - begin : 0, place - begin * s->back};
        }
    }
    return (reaching){0, 0, 0};
}

/* One pixel, or two that lie a stride apart and are reached by the same taps: all their channels. */
static void gather_pixels(const tinyc_conv2d_f32_params *p,
                          const spreading *lines,
                          const spreading *columns,
                          reaching rows,
                          reaching cols,
                          const float *in,
                          const float *weights,
                          const float *bias,
                          float *out,
                          int pair)
{
    const int32_t group_in = p->in_ch / p->groups;
    const int32_t group_out = p->out_ch / p->groups;
    const int32_t filter_size = p->kernel_h * p->kernel_w * group_in;
    const int32_t tap = (rows.tap * p->kernel_w + cols.tap) * group_in;
    const tinyc_dot_shape shape = {
        .rows = cols.count > 0 ? rows.count : 0,
        .runs = cols.count,
        .run_length = group_in,
        .x_row = -lines->back * p->in_w * p->in_ch,
        .x_run = -columns->back * p->in_ch,
        .w_row = lines->period * p->kernel_w * group_in,
        .w_run = columns->period * group_in,
    };
    if (shape.rows > 0) {
        in += (rows.place * p->in_w + cols.place) * p->in_ch;
    }
    for (int32_t group = 0; group < p->groups; group++) {
        for (int32_t channel = 0; channel < group_out; channel += 4) {
            const int32_t first = group * group_out + channel;
            const int32_t channels = group_out - channel < 4 ? group_out - channel : 4;
            tinyc_dot_tile tile;
            tinyc_dot_start(&tile, weights, filter_size, bias, first, first + channels);
            for (int32_t i = 0; i < 4; i++) {
                tile.weights[i] += tap;
            }
            if (pair) {
                tinyc_dot4x2_f32(&tile, &shape, in + group * group_in, p->in_ch);
                tinyc_dot_store(out + p->stride_w * p->out_ch + first, tile.sums + 4, channels, p->min, p->max);
            } else {
                tinyc_dot4x1_f32(&tile, &shape, in + group * group_in);
            }
            tinyc_dot_store(out + first, tile.sums, channels, p->min, p->max);
        }
    }
}

TINYC_FN(conv_transpose2d_f32)
void tinyc_conv_transpose2d_f32(const tinyc_conv2d_f32_params *params,
                                const float *in,
                                const float *weights,
                                const float *bias,
                                float *out)
{
    const tinyc_conv2d_f32_params *p = params;
    const spreading lines = spreading_of(p->stride_h, p->dilation_h, p->in_h, p->kernel_h);
    const spreading columns = spreading_of(p->stride_w, p->dilation_w, p->in_w, p->kernel_w);
    for (int32_t n = 0; n < p->batch; n++) {
        for (int32_t oy = 0; oy < p->out_h; oy++) {
            const reaching rows = reaching_of(&lines, oy + p->pad_top);
            /* Pixels a stride apart are reached by the same taps, but for the image's borders. */
            for (int32_t phase = 0; phase < p->stride_w && phase < p->out_w; phase++) {
                int32_t ox = phase;
                while (ox < p->out_w) {
                    const reaching cols = reaching_of(&columns, ox + p->pad_left);
                    const int32_t next = ox + p->stride_w;
                    int pair = 0;
                    if (next < p->out_w) {
                        const reaching other = reaching_of(&columns, next + p->pad_left);
                        pair = other.tap == cols.tap && other.count == cols.count && other.place == cols.place + 1;
                    }
                    gather_pixels(p, &lines, &columns, rows, cols, in, weights, bias, out + ox * p->out_ch, pair);
                    ox = pair ? next + p->stride_w : next;
                }
            }
            out += p->out_w * p->out_ch;
        }
        in += p->in_h * p->in_w * p->in_ch;
    }
}
