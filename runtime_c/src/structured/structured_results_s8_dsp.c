/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_fast_requantize_dsp.h"
#include "tinyc_structured_results.h"

TINYC_FN(structured_results_s8)
void tinyc_structured_results_s8(
    const tinyc_structured_s8 *layer, int32_t channel, const int32_t *sums, int8_t *out)
{
    const int32_t scale = layer->scale_step != 0 ? channel : 0;
    const int32_t right = -layer->shift[scale];
    if (right < 1 || right > 22 || layer->min != -128 || layer->max != 127) {
        tinyc_any_results_s8(layer, channel, sums, out);
        return;
    }
    const int32_t multiplier = layer->multiplier[scale];
    const int32_t half = tinyc_fast_requantize_half(layer->out_zero, right);
    for (int32_t row = 0; row < TINYC_ROWS; ++row, out += layer->channels) {
        *out = (int8_t)tinyc_fast_requantize(2 * sums[row], multiplier, half, right);
    }
}
