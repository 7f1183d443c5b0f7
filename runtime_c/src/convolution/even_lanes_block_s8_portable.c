/* SPDX-License-Identifier: Apache-2.0 */
/* In C, for cores with a long multiplication; also the twin of even_lanes_block_s8_armv6m.S. */
#include "tinyc_lanes_sums.h"

TINYC_FN(even_lanes_block_s8)
void tinyc_even_lanes_block_s8(const tinyc_lanes_block *block)
{
    const int8_t *weight = block->weights;
    for (int32_t channel = 0; channel < block->output_channels; ++channel) {
        const int32_t *const constants = block->channels + 3 * channel;
        const uint32_t runs = (uint32_t)constants[1];
        const int32_t bias = constants[0];
        tinyc_lanes_sums sums = {.x = block->columns, .weight = weight, .high0 = bias, .high1 = bias};
        weight += block->taps;
        for (int32_t skip = (int32_t)(runs & 0xffu); sums.weight < weight; skip = (int32_t)(runs >> 8 & 0xffu)) {
            tinyc_lanes_add_run(&sums, skip);
        }
        tinyc_lanes_store(block, channel, &sums, bias, constants[2], (int32_t)(runs >> 16 & 0xfu));
    }
}
