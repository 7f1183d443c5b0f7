/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_packed_s8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The addresses of a window's nine pixels; those outside the image are `padding`. */
static void find_taps(const tinyc_packed_depthwise_s8 *layer, const int8_t *in, const int8_t *padding, int32_t y,
    int32_t x, const int8_t *taps[9])
{
    const uint32_t in_w = (uint32_t)layer->in_w;
    const int32_t channels = layer->channels;
    for (int32_t tap_y = y; tap_y < y + 3; ++tap_y) {
        const bool inside = tap_y >= 0 && tap_y < layer->in_h;
        int32_t at = (tap_y * layer->in_w + x) * channels;
        for (int32_t tap_x = x; tap_x < x + 3; ++tap_x, at += channels) {
            *taps++ = inside && (uint32_t)tap_x < in_w ? in + at : padding;
        }
    }
}

TINYC_FN(depthwise_packed_s8)
void tinyc_depthwise_packed_s8(
    const tinyc_packed_depthwise_s8 *layer, const int8_t *in, int8_t *scratch, int8_t *out)
{
    const int32_t channels = layer->channels;
    const int32_t out_w = layer->out_w;
    const bool backward = TINYC_ADDRESS(out) > TINYC_ADDRESS(in);
    const int32_t direction = backward ? -1 : 1;
    /* The columns whose windows lie inside the image. */
    const int32_t first = (layer->pad_w + layer->stride_w - 1) / layer->stride_w;
    const int32_t room = layer->in_w - 3 + layer->pad_w;
    const int32_t end = room < 0 ? 0 : room / layer->stride_w + 1 < out_w ? room / layer->stride_w + 1 : out_w;
    tinyc_depthwise_run run = {
        .in_step = direction * layer->stride_w * channels,
        .out_step = direction * channels,
    };

    memset(scratch, layer->in_zero, (size_t)channels);
    for (int32_t row = 0; row < layer->out_h; ++row) {
        const int32_t out_y = backward ? layer->out_h - 1 - row : row;
        const int32_t y = out_y * layer->stride_h - layer->pad_h;
        const bool inside = y >= 0 && y + 3 <= layer->in_h;
        for (int32_t done = 0; done < out_w; done += run.pixels) {
            const int32_t column = backward ? out_w - 1 - done : done;
            run.pixels = 1;
            if (inside && column >= first && column < end) {
                run.pixels = backward ? column - first + 1 : end - column;
            }
            find_taps(layer, in, scratch, y, column * layer->stride_w - layer->pad_w, run.taps);
            tinyc_depthwise_run_s8(layer, &run, out + (out_y * out_w + column) * channels);
        }
    }
}
