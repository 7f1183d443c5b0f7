/* SPDX-License-Identifier: Apache-2.0 */
/* In C, for cores with a long multiplication; also the twin of lanes_block_s8_armv6m.S. */
#include "tinyc_lanes_sums.h"

TINYC_FN(lanes_block_s8)
void tinyc_lanes_block_s8(const tinyc_lanes_block *block)
{
    const int8_t *weight = block->weights;
    const uint8_t *run = block->runs;
    for (int32_t channel = 0; channel < block->output_channels; ++channel) {
        const int32_t *const constants = block->channels + 2 * channel;
        const int32_t bias = constants[0];
        tinyc_lanes_sums sums = {.x = block->columns, .weight = weight, .high0 = bias, .high1 = bias};
        for (int32_t skip = *run++; skip != TINYC_LANES_END; skip = *run++) {
            tinyc_lanes_add_run(&sums, skip);
        }
        weight = sums.weight;
        const int32_t exponent = *run++;
        tinyc_lanes_store(block, channel, &sums, bias, constants[1], exponent);
    }
}
