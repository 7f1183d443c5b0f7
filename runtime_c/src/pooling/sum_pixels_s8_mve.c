/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s8.h"

#include <arm_mve.h>

TINYC_FN(sum_pixels_s8)
void tinyc_sum_pixels_s8(const int8_t *in, int32_t pixels, int32_t channels, int32_t first, int16_t *sums)
{
    for (int32_t channel = 0; channel < channels; channel += 8) {
        const mve_pred16_t valid = vctp16q((uint32_t)(channels - channel));
        const int8_t *x = in + channel;
        int16x8_t sum = first != 0 ? vdupq_n_s16(0) : vldrhq_z_s16(sums + channel, valid);
        for (int32_t left = pixels; left > 0; --left, x += channels) {
            sum = vaddq_s16(sum, vldrbq_z_s16(x, valid));
        }
        vstrhq_p_s16(sums + channel, sum, valid);
    }
}
