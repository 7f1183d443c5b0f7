/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pool_window_s8.h"

#include <arm_mve.h>

TINYC_FN(maxpool_window_s8)
void tinyc_maxpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out)
{
    const int32_t end = window->cols * window->channels;
    const int8x16_t lowest = vdupq_n_s8((int8_t)activation->min), highest = vdupq_n_s8((int8_t)activation->max);
    for (int32_t channel = 0; channel < window->channels; channel += 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)(window->channels - channel));
        const int8_t *row = window->first + channel;
        int8x16_t max = lowest;
        for (int32_t y = window->rows; y > 0; y--) {
            for (int32_t at = 0; at < end; at += window->channels) {
                max = vmaxq_s8(max, vldrbq_z_s8(row + at, lanes));
            }
            if (y > 1) {
                row += window->row_stride;
            }
        }
        vstrbq_p_s8(out + channel, vminq_s8(max, highest), lanes);
    }
}
