/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_structured.h"

TINYC_FN(sparse_row_s8)
void tinyc_sparse_row_s8(const tinyc_structured_s8 *layer, const int8_t *row, int8_t *out)
{
    const uint8_t *filter = layer->filter;
    for (int32_t channel = 0; channel < layer->channels; ++channel) {
        int32_t sum = layer->bias[channel];
        const int8_t *x = row;
        for (int32_t left = layer->depth; left > 0; left -= TINYC_SEGMENT, x += TINYC_SEGMENT) {
            int32_t count = *filter++;
            const uint8_t *place = filter;
            const int8_t *value = (const int8_t *)(filter + count);
            filter += 2 * count;
            for (; count >= 4; count -= 4, place += 4, value += 4) {
                sum += x[place[0]] * value[0];
                sum += x[place[1]] * value[1];
                sum += x[place[2]] * value[2];
                sum += x[place[3]] * value[3];
            }
            while (--count >= 0) {
                sum += x[place[count]] * value[count];
            }
        }
        out[channel] = tinyc_structured_result(layer, channel, sum);
    }
}
