/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of fully_connected_packed_s8_mve.S. */
#include "tinyc_packed_s8.h"
#include "tinyc_requantize.h"

TINYC_FN(fully_connected_packed_s8)
void tinyc_fully_connected_packed_s8(
    const tinyc_packed_fully_connected_s8 *layer, const int8_t *in, int8_t *out)
{
    const int8_t *filter = layer->filter;
    for (int32_t c = 0; c < layer->channels; ++c, filter += layer->depth) {
        int32_t acc = layer->bias[c];
        for (int32_t k = 0; k < layer->depth; ++k) {
            acc += in[k] * filter[k];
        }
        out[c] = tinyc_requantize_to_s8(
            acc, layer->multiplier, layer->shift, layer->out_zero, layer->min, layer->max);
    }
}
