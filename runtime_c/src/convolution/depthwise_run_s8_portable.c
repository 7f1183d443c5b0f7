/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of depthwise_run_s8_mve.S. */
#include "tinyc_packed_s8.h"
#include "tinyc_requantize.h"

#define BLOCK_WORDS 36

/* One channel of a block. at: where its tap lies from the first channel of the pixel on. */
static int8_t one_channel(const tinyc_packed_depthwise_s8 *layer, const tinyc_depthwise_run *run,
    const int32_t *block, int32_t lane, int32_t at)
{
    const int32_t place = lane / 2 + lane % 2 * 4;
    const int8_t *const filter = (const int8_t *)(block + 8) + lane;
    const int8_t *const shift = (const int8_t *)(block + 34) + place;
    int32_t acc = block[place];
    for (int32_t tap = 0; tap < 9; ++tap) {
        acc += run->taps[tap][at] * filter[8 * tap];
    }
    return tinyc_requantize_to_s8(
        acc, block[26 + place], *shift, layer->out_zero, layer->min, layer->max);
}

TINYC_FN(depthwise_run_s8)
void tinyc_depthwise_run_s8(
    const tinyc_packed_depthwise_s8 *layer, const tinyc_depthwise_run *run, int8_t *out)
{
    for (int32_t pixel = 0; pixel < run->pixels; ++pixel, out += run->out_step) {
        const int32_t *block = layer->packed;
        for (int32_t end = 8; end < layer->channels + 8; end += 8, block += BLOCK_WORDS) {
            const int32_t channel = tinyc_min_s32(end, layer->channels) - 8;
            for (int32_t lane = 0; lane < 8; ++lane) {
                out[channel + lane] = one_channel(layer, run, block, lane, pixel * run->in_step + channel + lane);
            }
        }
    }
}
