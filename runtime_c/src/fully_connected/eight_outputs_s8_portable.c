/* SPDX-License-Identifier: Apache-2.0 */
/* In C, for cores with a long multiplication; also the twin of eight_outputs_s8_armv6m.S. */
#include "tinyc_eight_outputs_s8.h"
#include "tinyc_requantize.h"

TINYC_FN(eight_outputs_s8)
void tinyc_eight_outputs_s8(const tinyc_eight_outputs *outputs)
{
    int32_t sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (int32_t half = 0; half < 8; half += 4) {
        const uint8_t *w = outputs->weights + half;
        int32_t sum0 = 0;
        int32_t sum1 = 0;
        int32_t sum2 = 0;
        int32_t sum3 = 0;
        for (const int8_t *x = outputs->input; x != outputs->end; ++x) {
            const int32_t factor = *x;
            sum0 += factor * w[0];
            sum1 += factor * w[1];
            sum2 += factor * w[2];
            sum3 += factor * w[3];
            w += 8;
        }
        sums[half] = sum0;
        sums[half + 1] = sum1;
        sums[half + 2] = sum2;
        sums[half + 3] = sum3;
    }
    for (int32_t i = 0; i < outputs->results; ++i) {
        outputs->output[i] = tinyc_requantize_to_s8(sums[i] + outputs->bias[i] + outputs->correction, outputs->multiplier,
            -outputs->exponent, outputs->output_offset, outputs->lowest, outputs->highest);
    }
}
