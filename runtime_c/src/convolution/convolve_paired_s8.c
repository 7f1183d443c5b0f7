/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_paired_dsp.h"

#include <stdbool.h>
#include <string.h>

/* Of the window of one pixel: the first tap. */
typedef struct {
    int32_t y;
    int32_t x;
} tap;

static bool is_inside(const tinyc_paired_window *window, tap first)
{
    return first.y >= 0 && first.y + window->rows <= window->height && first.x >= 0
        && first.x + window->columns <= window->width;
}

/* A row of a window: in the image, or in `edge` together with the padding around the image. */
static const int8_t *row_of(const tinyc_paired_window *window, const int8_t *in, int32_t y, int32_t x, int8_t *edge)
{
    const int32_t channels = window->channels;
    const bool inside = y >= 0 && y < window->height;
    if (inside && x >= 0 && x + window->columns <= window->width) {
        return in + (y * window->width + x) * channels;
    }
    (void)memset(edge, window->padding, (size_t)(window->columns * channels));
    const int32_t first = x > 0 ? x : 0;
    const int32_t end = x + window->columns < window->width ? x + window->columns : window->width;
    if (inside && first < end) {
        const int8_t *const from = in + (y * window->width + first) * channels;
        (void)memcpy(edge + (first - x) * channels, from, (size_t)((end - first) * channels));
    }
    return edge;
}

/* The windows of two pixels as a pair; edge: room for a row of each. */
static void gather(const tinyc_paired_window *window, const int8_t *in, const tap taps[2], int16_t *pair, int8_t *edge)
{
    const int32_t pitch = window->width * window->channels;
    const int32_t row = window->columns * window->channels;
    if (is_inside(window, taps[0]) && is_inside(window, taps[1])) {
        const int8_t *const in0 = in + taps[0].y * pitch + taps[0].x * window->channels;
        const int8_t *const in1 = in + taps[1].y * pitch + taps[1].x * window->channels;
        (void)tinyc_widen_pair_dsp(pair, in0, in1, row, window->rows, pitch - row);
        return;
    }
    for (int32_t y = 0; y < window->rows; ++y) {
        const int8_t *const in0 = row_of(window, in, taps[0].y + y, taps[0].x, edge);
        const int8_t *const in1 = row_of(window, in, taps[1].y + y, taps[1].x, edge + row);
        pair = tinyc_widen_pair_dsp(pair, in0, in1, row, 1, 0);
    }
}

TINYC_FN(convolve_paired_s8)
void tinyc_convolve_paired_s8(const tinyc_paired_filters *filters, const tinyc_paired_window *window, const int8_t *in,
    int8_t *out, int16_t *scratch)
{
    int8_t *const edge = (int8_t *)(scratch + 4 * filters->steps);
    const int32_t channels = window->out_channels;
    tap first = {-window->pad_y, -window->pad_x};
    int32_t column = 0;
    for (int32_t left = window->out_height * window->out_width; left > 0; left -= 2) {
        tap taps[2];
        for (int32_t pixel = 0; pixel < 2; ++pixel) {
            taps[pixel] = first;
            first.x += window->stride_x;
            if (++column == window->out_width) {
                column = 0;
                first.x = -window->pad_x;
                first.y += window->stride_y;
            }
        }
        /* A single last pixel is computed twice. */
        const int32_t second = left > 1 ? 1 : 0;
        taps[1] = taps[second];
        gather(window, in, taps, scratch, edge);
        tinyc_paired_tiles_dsp(filters, scratch, out, out + second * channels);
        out += 2 * channels;
    }
}
