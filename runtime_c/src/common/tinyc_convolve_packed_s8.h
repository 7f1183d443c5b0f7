/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tinyc_convolve_packed_s8 from two helpers that the including file has defined: tinyc_copy_s8(to, from, bytes) and
 * tinyc_fill_s8(to, value, bytes).
 */
#ifndef TINYC_CONVOLVE_PACKED_S8_H
#define TINYC_CONVOLVE_PACKED_S8_H

#include "tinyc_packed_s8.h"
#include "tinyc_requantize.h"

/* A window that reaches beyond the image's edges; padding is the input's zero point. */
TINYC_INLINE void tinyc_gather_edge_s8(
    const tinyc_packed_conv_s8 *conv, const int8_t *in, int32_t y, int32_t x, int8_t *row)
{
    const int32_t taps = conv->kernel_w * conv->in_c;
    const int32_t top = tinyc_max_s32(-y, 0);
    const int32_t bottom = tinyc_min_s32(conv->in_h - y, conv->kernel_h);
    const int32_t left = tinyc_max_s32(-x, 0);
    const int32_t right = tinyc_min_s32(conv->in_w - x, conv->kernel_w);
    tinyc_fill_s8(row, conv->in_zero, conv->product.depth);
    row += top * taps + left * conv->in_c;
    for (int32_t ky = top; left < right && ky < bottom; ++ky) {
        tinyc_copy_s8(row, in + ((y + ky) * conv->in_w + x + left) * conv->in_c, (right - left) * conv->in_c);
        row += taps;
    }
}

/* Whether the pixels of the input are the rows of the product. */
TINYC_INLINE int tinyc_is_pointwise_s8(const tinyc_packed_conv_s8 *conv)
{
    return conv->kernel_h * conv->kernel_w * conv->stride_h * conv->stride_w == 1 && conv->in_h == conv->out_h &&
        conv->in_w == conv->out_w;
}

/* A copy of three pixels at a time, because results may fall on them. */
TINYC_INLINE void tinyc_convolve_pointwise_s8(
    const tinyc_packed_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out)
{
    const int32_t depth = conv->product.depth;
    const int32_t in_c = conv->in_c;
    int32_t count = 3;
    for (int32_t pixels = conv->out_h * conv->out_w; pixels > 0; pixels -= count) {
        count = tinyc_min_s32(pixels, 3);
        if (in_c == depth) {
            tinyc_copy_s8(scratch, in, count * in_c);
        } else {
            int8_t *row = scratch;
            for (int32_t i = 0; i < count; ++i, row += depth) {
                tinyc_copy_s8(row, in + i * in_c, in_c);
            }
        }
        tinyc_multiply_packed_s8(&conv->product, scratch, count, out);
        in += count * in_c;
        out += count * conv->product.channels;
    }
}

TINYC_INLINE void tinyc_convolve_windows_s8(
    const tinyc_packed_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out)
{
    const int32_t depth = conv->product.depth;
    const int32_t in_c = conv->in_c;
    const int32_t line = conv->in_w * in_c;
    const int32_t taps = conv->kernel_w * in_c;
    const int32_t kernel_h = conv->kernel_h;
    const int32_t last = conv->in_w - conv->kernel_w;
    int8_t *row = scratch;
    int32_t waiting = 0;
    for (int32_t out_y = 0; out_y < conv->out_h; ++out_y) {
        const int32_t y = out_y * conv->stride_h - conv->pad_h;
        const int inside = y >= 0 && y + kernel_h <= conv->in_h;
        int32_t x = -conv->pad_w;
        for (int32_t left = conv->out_w; left > 0; --left, x += conv->stride_w) {
            if (inside && x >= 0 && x <= last) {
                const int8_t *from = in + (y * line + x * in_c);
                int8_t *to = row;
                for (int32_t ky = kernel_h; ky > 0; --ky, from += line, to += taps) {
                    tinyc_copy_s8(to, from, taps);
                }
            } else {
                tinyc_gather_edge_s8(conv, in, y, x, row);
            }
            row += depth;
            if (++waiting == 3) {
                tinyc_multiply_packed_s8(&conv->product, scratch, 3, out);
                out += 3 * conv->product.channels;
                row = scratch;
                waiting = 0;
            }
        }
    }
    if (waiting > 0) {
        tinyc_multiply_packed_s8(&conv->product, scratch, waiting, out);
    }
}

TINYC_INLINE void tinyc_convolve_gathered_s8(
    const tinyc_packed_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out)
{
    tinyc_fill_s8(scratch, 0, 3 * conv->product.depth);
    if (tinyc_is_pointwise_s8(conv)) {
        tinyc_convolve_pointwise_s8(conv, in, scratch, out);
    } else {
        tinyc_convolve_windows_s8(conv, in, scratch, out);
    }
}

#endif /* TINYC_CONVOLVE_PACKED_S8_H */
