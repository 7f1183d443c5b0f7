/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pack_s8_dsp.h"
#include "tinyc_pool_window_s8.h"

/* The maxima of four neighbouring channels. */
static int8x4_t max_channels(const tinyc_pool_window *window, int32_t channel)
{
    const int32_t end = window->cols * window->channels;
    const int8_t *row = window->first + channel;
    int8x4_t max = tinyc_splat_s8x4(INT8_MIN);
    for (int32_t y = window->rows; y > 0; y--) {
        for (int32_t at = 0; at < end; at += window->channels) {
            max = tinyc_max_s8x4(tinyc_read_s8x4(row + at), max);
        }
        if (y > 1) {
            row += window->row_stride;
        }
    }
    return max;
}

static int32_t max_channel(const tinyc_pool_window *window, int32_t channel)
{
    const int32_t end = window->cols * window->channels;
    const int8_t *row = window->first + channel;
    int32_t max = INT8_MIN;
    for (int32_t y = window->rows; y > 0; y--) {
        for (int32_t at = 0; at < end; at += window->channels) {
            max = row[at] > max ? row[at] : max;
        }
        if (y > 1) {
            row += window->row_stride;
        }
    }
    return max;
}

TINYC_FN(maxpool_window_s8)
void tinyc_maxpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out)
{
    const int8x4_t low = tinyc_splat_s8x4(activation->min), high = tinyc_splat_s8x4(activation->max);
    int32_t channel = 0;
    for (; channel + 4 <= window->channels; channel += 4) {
        tinyc_write_s8x4(out + channel, tinyc_limit_s8x4(max_channels(window, channel), low, high));
    }
    for (; channel < window->channels; channel++) {
        out[channel] = tinyc_pool_clamp(max_channel(window, channel), activation);
    }
}
