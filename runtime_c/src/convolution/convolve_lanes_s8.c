/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_lanes_block_s8.h"

TINYC_FN(convolve_lanes_s8)
void tinyc_convolve_lanes_s8(const tinyc_lanes_conv *conv, const int8_t *input, const int8_t *weights,
    const uint8_t *runs, const int32_t *channels, int8_t *output, uint32_t *columns)
{
    tinyc_lanes_block block = {.weights = weights, .runs = runs, .channels = channels, .output = output};
    tinyc_convolve_lanes_blocks(conv, input, columns, &block, tinyc_lanes_block_s8);
}
