/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_sparse_mve.h"

TINYC_FN(sparse_row_s8)
void tinyc_sparse_row_s8(const tinyc_structured_s8 *layer, const int8_t *row, int8_t *out)
{
    const uint8_t *filter = layer->filter;
    for (int32_t channel = 0; channel < layer->channels; ++channel) {
        int32_t sum = layer->bias[channel];
        for (int32_t at = 0; at < layer->depth; at += TINYC_SEGMENT) {
            const int32_t stored = *filter++;
            const int8_t *const value = (const int8_t *)(filter + stored);
            for (int32_t k = 0; k < stored; k += 16) {
                sum = tinyc_add_stored(sum, row + at, tinyc_load_stored(filter + k, value + k, stored - k));
            }
            filter += 2 * stored;
        }
        out[channel] = tinyc_structured_result(layer, channel, sum);
    }
}
