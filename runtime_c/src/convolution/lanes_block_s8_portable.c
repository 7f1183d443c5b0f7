/* SPDX-License-Identifier: Apache-2.0 */
/* In C, for cores with a long multiplication; also the twin of lanes_block_s8_armv6m.S. */
#include "tinyc_lanes_block_s8.h"
#include "tinyc_requantize.h"

/* Half of the low lane's range: with it, a run's sum in that lane is never negative, and does not borrow. */
enum { HALF_LANE = 0x8000 };

TINYC_FN(lanes_block_s8)
void tinyc_lanes_block_s8(const tinyc_lanes_block *block)
{
    const int8_t *weight = block->weights;
    const uint8_t *run = block->runs;
    for (int32_t channel = 0; channel < block->output_channels; ++channel) {
        const int32_t bias = block->channels[2 * channel];
        const int32_t multiplier = block->channels[2 * channel + 1];
        const uint32_t *x = block->columns;
        /* Sums of the words of all runs, and of their high lanes. */
        uint32_t words0 = 0;
        uint32_t words1 = 0;
        int32_t high0 = bias;
        int32_t high1 = bias;
        uint32_t halves = 0;
        int32_t skip = *run++;
        while (skip != TINYC_LANES_END) {
            uint32_t sum0 = HALF_LANE;
            uint32_t sum1 = HALF_LANE;
            for (; skip < TINYC_LANES_TAP * TINYC_LANES_LONGEST; skip += TINYC_LANES_TAP) {
                const uint32_t w = (uint32_t)(int32_t)*weight++;
                sum0 += x[0] * w;
                sum1 += x[1] * w;
                x += 2;
            }
            high0 += (int32_t)sum0 >> 16;
            high1 += (int32_t)sum1 >> 16;
            words0 += sum0;
            words1 += sum1;
            halves += HALF_LANE;
            skip = *run++;
        }
        const int32_t shift = -(int32_t)*run++;
        /* The high lanes' sums, less the bias, are what the words have in excess of the low lanes' sums. */
        const uint32_t low_bias = (uint32_t)bias + ((uint32_t)bias << 16) - halves;
        const int32_t sums[4] = {
            (int32_t)(words0 - ((uint32_t)high0 << 16) + low_bias), high0,
            (int32_t)(words1 - ((uint32_t)high1 << 16) + low_bias), high1,
        };
        int8_t *const output = block->output + channel;
        for (int32_t pixel = 3; pixel >= 0; --pixel) {
            output[pixel > 0 ? block->place[pixel - 1] : 0] = tinyc_requantize_to_s8(
                sums[pixel], multiplier, shift, block->output_offset, block->lowest, block->highest);
        }
    }
}
