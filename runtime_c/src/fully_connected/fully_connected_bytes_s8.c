/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_eight_outputs_s8.h"

TINYC_FN(fully_connected_bytes_s8)
void tinyc_fully_connected_bytes_s8(const tinyc_fully_connected_bytes *layer, const int8_t *input,
    const uint8_t *weights, const int32_t *bias, int8_t *output)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < layer->depth; ++i) {
        sum += input[i];
    }
    tinyc_eight_outputs eight = {
        .input = input,
        .end = input + layer->depth,
        .weights = weights,
        .bias = bias,
        .output = output,
        .correction = -128 * sum,
        .multiplier = layer->multiplier,
        .exponent = layer->exponent,
        .output_offset = layer->output_offset,
        .lowest = layer->lowest,
        .highest = layer->highest,
    };
    for (int32_t left = layer->outputs; left > 0; left -= 8) {
        eight.results = left < 8 ? left : 8;
        tinyc_eight_outputs_s8(&eight);
        eight.weights += 8 * layer->depth;
        eight.bias += 8;
        eight.output += 8;
    }
}
