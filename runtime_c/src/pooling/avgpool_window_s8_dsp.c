/* SPDX-License-Identifier: Apache-2.0
 *
 * Four channels at once as two pairs of 16-bit sums. A pair is moved to 32 bits before it can overflow.
 */
#include "tinyc_instructions_dsp.h"
#include "tinyc_pack_s8_dsp.h"
#include "tinyc_pool_window_s8.h"

/* int8 values that a 16-bit sum is sure to hold: 256 * -128 = -32768. */
#define PIXELS_PER_FLUSH 256

static void flush(int32_t sums[4], int16x2_t even, int16x2_t odd)
{
    sums[0] += (int16_t)even;
    sums[1] += (int16_t)odd;
    sums[2] += even >> 16;
    sums[3] += odd >> 16;
}

static void sum_channels(const tinyc_pool_window *window, int32_t channel, int32_t sums[4])
{
    const int8_t *row = window->first + channel;
    int16x2_t even = 0, odd = 0;
    int32_t room = PIXELS_PER_FLUSH;
    for (int32_t y = window->rows; y > 0; y--) {
        int32_t at = 0;
        int32_t left = window->cols;
        while (left > 0) {
            int32_t pixels = left < PIXELS_PER_FLUSH ? left : PIXELS_PER_FLUSH;
            if (room < pixels) {
                flush(sums, even, odd);
                even = 0;
                odd = 0;
                room = PIXELS_PER_FLUSH;
            }
            room -= pixels;
            left -= pixels;
            do {
                const int8x4_t values = tinyc_read_s8x4(row + at);
                even = __sxtab16(even, values);
                odd = tinyc_sxtab16_odd(odd, values);
                at += window->channels;
            } while (--pixels > 0);
        }
        if (y > 1) {
            row += window->row_stride;
        }
    }
    flush(sums, even, odd);
}

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

TINYC_FN(avgpool_window_s8)
void tinyc_avgpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out)
{
    const int32_t count = window->rows * window->cols;
    int32_t channel = 0;
    for (; channel + 4 <= window->channels; channel += 4) {
        int32_t sums[4] = {0, 0, 0, 0};
        sum_channels(window, channel, sums);
        for (int32_t i = 0; i < 4; i++) {
            *out++ = tinyc_pool_clamp(tinyc_pool_mean(sums[i], count), activation);
        }
    }
    for (; channel < window->channels; channel++) {
        *out++ = tinyc_pool_clamp(tinyc_pool_mean(sum_channel(window, channel), count), activation);
    }
}
