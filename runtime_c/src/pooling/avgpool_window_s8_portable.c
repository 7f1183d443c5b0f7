/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pool_window_s8.h"

/* The sum of one channel. */
static int32_t sum_channel(const tinyc_pool_window *window, int32_t channel)
{
    int32_t sum = 0;
    const int8_t *row = window->first + channel;
    for (int32_t y = window->rows; y > 0; y--) {
        int32_t at = 0;
        for (int32_t x = window->cols; x > 0; x--) {
            sum += row[at];
            at += window->channels;
        }
        if (y > 1) {
            row += window->row_stride;
        }
    }
    return sum;
}

/* The sums of four neighbouring channels: the loop's overhead is shared. */
static void sum_channels(const tinyc_pool_window *window, int32_t channel, int32_t sums[4])
{
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    const int8_t *row = window->first + channel;
    for (int32_t y = window->rows; y > 0; y--) {
        const int32_t end = window->cols * window->channels;
        for (int32_t at = 0; at < end; at += window->channels) {
            s0 += row[at];
            s1 += row[at + 1];
            s2 += row[at + 2];
            s3 += row[at + 3];
        }
        if (y > 1) {
            row += window->row_stride;
        }
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

TINYC_FN(avgpool_window_s8)
void tinyc_avgpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out)
{
    const int32_t count = window->rows * window->cols;
    int32_t channel = 0;
    for (; channel + 4 <= window->channels; channel += 4) {
        int32_t sums[4];
        sum_channels(window, channel, sums);
        for (int32_t i = 0; i < 4; i++) {
            *out++ = tinyc_pool_clamp(tinyc_pool_mean(sums[i], count), activation);
        }
    }
    for (; channel < window->channels; channel++) {
        *out++ = tinyc_pool_clamp(tinyc_pool_mean(sum_channel(window, channel), count), activation);
    }
}
