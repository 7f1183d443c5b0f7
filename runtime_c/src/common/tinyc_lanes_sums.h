/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of tinyc_lanes.h in C. */
#ifndef TINYC_LANES_SUMS_H
#define TINYC_LANES_SUMS_H

#include "tinyc_lanes_block_s8.h"
#include "tinyc_requantize.h"

/* Half of the low lane's range: with it, a run's sum in that lane is never negative, and does not borrow. */
enum { TINYC_HALF_LANE = 0x8000 };

/* One channel: its next tap, and sums of the words of all runs, of their high lanes with the bias, and of the halves in
 * the words. */
typedef struct {
    const uint32_t *x;
    const int8_t *weight;
    uint32_t words0;
    uint32_t words1;
    int32_t high0;
    int32_t high1;
    uint32_t halves;
} tinyc_lanes_sums;

/* Adds a run of taps, as many as the bytes that assembly skips leave. */
TINYC_INLINE void tinyc_lanes_add_run(tinyc_lanes_sums *sums, int32_t skip)
{
    uint32_t sum0 = TINYC_HALF_LANE;
    uint32_t sum1 = TINYC_HALF_LANE;
    for (; skip < TINYC_LANES_TAP * TINYC_LANES_LONGEST; skip += TINYC_LANES_TAP) {
        const uint32_t w = (uint32_t)(int32_t)*sums->weight++;
        sum0 += sums->x[0] * w;
        sum1 += sums->x[1] * w;
        sums->x += 2;
    }
    sums->high0 += (int32_t)sum0 >> 16;
    sums->high1 += (int32_t)sum1 >> 16;
    sums->words0 += sum0;
    sums->words1 += sum1;
    sums->halves += TINYC_HALF_LANE;
}

/* The four results of a channel. */
TINYC_INLINE void tinyc_lanes_store(const tinyc_lanes_block *block, int32_t channel, const tinyc_lanes_sums *sums,
    int32_t bias, int32_t multiplier, int32_t exponent)
{
    /* The high lanes' sums, less the bias, are what the words have in excess of the low lanes' sums. */
    const uint32_t low_bias = (uint32_t)bias + ((uint32_t)bias << 16) - sums->halves;
    const int32_t results[4] = {
        (int32_t)(sums->words0 - ((uint32_t)sums->high0 << 16) + low_bias), sums->high0,
        (int32_t)(sums->words1 - ((uint32_t)sums->high1 << 16) + low_bias), sums->high1,
    };
    int8_t *const output = block->output + channel;
    for (int32_t pixel = 3; pixel >= 0; --pixel) {
        output[pixel > 0 ? block->place[pixel - 1] : 0] = tinyc_requantize_to_s8(
            results[pixel], multiplier, -exponent, block->output_offset, block->lowest, block->highest);
    }
}

#endif /* TINYC_LANES_SUMS_H */
