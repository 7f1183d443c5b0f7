/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s8.h"

TINYC_FN(sum_pixels_s8)
void tinyc_sum_pixels_s8(const int8_t *in, int32_t pixels, int32_t channels, int32_t first, int16_t *sums)
{
    for (int32_t channel = 0; channel < channels; ++channel) {
        const int8_t *x = in + channel;
        int32_t sum = first != 0 ? 0 : sums[channel];
        for (int32_t left = pixels; left > 0; --left, x += channels) {
            sum += *x;
        }
        sums[channel] = (int16_t)sum;
    }
}
