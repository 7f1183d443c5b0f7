/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s8.h"
#include "tinyc_scalar.h"

static int8_t mean_of(const tinyc_mean_s8 *mean, int32_t sum)
{
    return (int8_t)tinyc_requantize_one(
        sum + mean->offset, mean->multiplier, mean->shift, mean->zero_point, mean->lowest, mean->highest);
}

/* Four channels at a time share the loop's overhead. */
TINYC_FN(mean_pixels_s8)
void tinyc_mean_pixels_s8(const tinyc_mean_s8 *mean, const int8_t *in, int32_t pixels, int32_t channels, int8_t *out)
{
    int32_t channel = 0;
    for (; channel + 4 <= channels; channel += 4) {
        const int8_t *x = in + channel;
        int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int32_t left = pixels; left > 0; left--, x += channels) {
            s0 += x[0];
            s1 += x[1];
            s2 += x[2];
            s3 += x[3];
        }
        out[channel] = mean_of(mean, s0);
        out[channel + 1] = mean_of(mean, s1);
        out[channel + 2] = mean_of(mean, s2);
        out[channel + 3] = mean_of(mean, s3);
    }
    for (; channel < channels; channel++) {
        const int8_t *x = in + channel;
        int32_t sum = 0;
        for (int32_t left = pixels; left > 0; left--, x += channels) {
            sum += *x;
        }
        out[channel] = mean_of(mean, sum);
    }
}
