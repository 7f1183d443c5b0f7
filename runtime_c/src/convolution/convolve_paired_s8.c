/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_paired_dsp.h"

#include <string.h>

/* A window whose first tap lies at y, x and which leaves the image, with the padding around it. Called rarely: its code
 * is kept out of the loop over pixels, which a small cache of instructions holds together with what it calls. */
static __attribute__((noinline)) void copy_window(
    const tinyc_paired_window *window, const int8_t *in, int32_t y, int32_t x, int8_t *to)
{
    const int32_t channels = window->channels;
    const int32_t row = window->columns * channels;
    const int32_t pitch = window->width * channels;
    const int32_t first_y = y > 0 ? y : 0;
    const int32_t first_x = x > 0 ? x : 0;
    const int32_t end_y = y + window->rows < window->height ? y + window->rows : window->height;
    const int32_t end_x = x + window->columns < window->width ? x + window->columns : window->width;
    const int32_t bytes = (end_x - first_x) * channels;
    int32_t from = first_y * pitch + first_x * channels;
    int32_t at = (first_y - y) * row + (first_x - x) * channels;
    (void)memset(to, window->padding, (size_t)(window->rows * row));
    if (bytes > 0) {
        for (int32_t left = end_y - first_y; left > 0; --left) {
            (void)memcpy(to + at, in + from, (size_t)bytes);
            from += pitch;
            at += row;
        }
    }
}

TINYC_FN(convolve_paired_s8)
void tinyc_convolve_paired_s8(const tinyc_paired_filters *filters, const tinyc_paired_window *window, const int8_t *in,
    int8_t *out, int16_t *scratch)
{
    const int32_t row = window->columns * window->channels;
    /* Where windows are copied to. That of pixel 1 lies at the end of the pair: a value is read before the four bytes that
     * it becomes get there. */
    int8_t *const pair_end = (int8_t *)(scratch + 4 * filters->steps);
    int8_t *const copies[2] = {pair_end, pair_end - window->rows * row};
    const int32_t between = window->width * window->channels - row;
    const int32_t most_y = window->height - window->rows; /* of windows inside the image */
    const int32_t most_x = window->width - window->columns;
    const int32_t last_x = (window->out_width - 1) * window->stride_x - window->pad_x;
    int32_t y = -window->pad_y;
    int32_t x = -window->pad_x;
    for (int32_t left = window->out_height * window->out_width; left > 0; left -= 2) {
        const int8_t *first[2];
        int32_t gap[2];
        for (int32_t pixel = 0; pixel < 2; ++pixel) {
            if ((y | x | (most_y - y) | (most_x - x)) >= 0) {
                first[pixel] = in + (y * window->width + x) * window->channels;
                gap[pixel] = between;
            } else {
                copy_window(window, in, y, x, copies[pixel]);
                first[pixel] = copies[pixel];
                gap[pixel] = 0;
            }
            /* A single last pixel is computed twice. */
            if (left > 1) {
                x += window->stride_x;
                if (x > last_x) {
                    x = -window->pad_x;
                    y += window->stride_y;
                }
            }
        }
        tinyc_widen_pair_dsp(scratch, first[0], first[1], row, window->rows, gap[0], gap[1]);
        tinyc_paired_tiles_dsp(filters, scratch, out, left > 1 ? out + window->out_channels : out);
        out += 2 * window->out_channels;
    }
}
