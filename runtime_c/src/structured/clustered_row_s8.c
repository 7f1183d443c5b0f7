/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_structured.h"

TINYC_FN(clustered_row_s8)
void tinyc_clustered_row_s8(const tinyc_structured_s8 *layer, const int8_t *row, int8_t *out)
{
    const uint8_t *filter = layer->filter;
    const int8_t *table = layer->values;
    for (int32_t channel = 0; channel < layer->channels; ++channel, table += layer->table_step) {
        int32_t sum = layer->bias[channel];
        const int8_t *x = row;
        for (int32_t pairs = layer->depth >> 1; pairs > 0; --pairs, x += 2) {
            const uint32_t both = *filter++;
            sum += x[0] * table[both & 15u] + x[1] * table[both >> 4];
        }
        if ((layer->depth & 1) != 0) {
            sum += x[0] * table[*filter++ & 15u];
        }
        out[channel] = tinyc_structured_result(layer, channel, sum);
    }
}
