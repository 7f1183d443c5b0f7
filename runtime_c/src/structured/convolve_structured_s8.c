/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_structured.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The input of the output pixel whose window begins at (y, x); padding is the input's zero point. */
static void gather(const tinyc_structured_conv_s8 *conv, const int8_t *in, int32_t y, int32_t x, int8_t *row)
{
    const int32_t reach = (conv->kernel_w - 1) * conv->dilation_w + 1;
    const bool whole = conv->dilation_w == 1 && x >= 0 && x + reach <= conv->in_w;
    for (int32_t ky = conv->kernel_h; ky > 0; --ky, y += conv->dilation_h) {
        const bool exists = y >= 0 && y < conv->in_h;
        const int8_t *const line = exists ? in + y * conv->in_w * conv->in_c : in;
        if (exists && whole) {
            memcpy(row, line + x * conv->in_c, (size_t)(reach * conv->in_c));
            row += reach * conv->in_c;
            continue;
        }
        for (int32_t at = x; at < x + reach; at += conv->dilation_w, row += conv->in_c) {
            if (exists && at >= 0 && at < conv->in_w) {
                memcpy(row, line + at * conv->in_c, (size_t)conv->in_c);
            } else {
                memset(row, conv->in_zero, (size_t)conv->in_c);
            }
        }
    }
}

TINYC_FN(convolve_structured_s8)
void tinyc_convolve_structured_s8(const tinyc_structured_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out,
    void (*multiply)(const tinyc_structured_s8 *, const int8_t *, int32_t, int8_t *))
{
    int32_t waiting = 0;
    int32_t y = -conv->pad_h;
    for (int32_t out_y = conv->out_h; out_y > 0; --out_y, y += conv->stride_h) {
        int32_t x = -conv->pad_w;
        for (int32_t out_x = conv->out_w; out_x > 0; --out_x, x += conv->stride_w) {
            gather(conv, in, y, x, scratch + waiting * conv->layer.depth);
            if (++waiting == TINYC_ROWS) {
                multiply(&conv->layer, scratch, waiting, out);
                out += waiting * conv->layer.channels;
                waiting = 0;
            }
        }
    }
    multiply(&conv->layer, scratch, waiting, out);
}
