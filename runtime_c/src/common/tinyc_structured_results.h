/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_STRUCTURED_RESULTS_H
#define TINYC_STRUCTURED_RESULTS_H

#include "tinyc_structured.h"

/* tinyc_structured_results_s8 for any scale and clamp. */
TINYC_INLINE void tinyc_any_results_s8(
    const tinyc_structured_s8 *layer, int32_t channel, const int32_t *sums, int8_t *out)
{
    const int32_t scale = layer->scale_step != 0 ? channel : 0;
    const int32_t multiplier = layer->multiplier[scale];
    const int32_t shift = layer->shift[scale];
    const int32_t zero = layer->out_zero;
    const int32_t lowest = layer->min;
    const int32_t highest = layer->max;
    for (int32_t row = 0; row < TINYC_ROWS; ++row, out += layer->channels) {
        *out = tinyc_requantize_to_s8(sums[row], multiplier, shift, zero, lowest, highest);
    }
}

#endif /* TINYC_STRUCTURED_RESULTS_H */
