/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pool_window_s8.h"

TINYC_FN(maxpool_window_s8)
void tinyc_maxpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out)
{
    const int32_t end = window->cols * window->channels;
    for (int32_t channel = 0; channel < window->channels; channel++) {
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
        out[channel] = tinyc_pool_clamp(max, activation);
    }
}
