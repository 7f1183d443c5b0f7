/* SPDX-License-Identifier: Apache-2.0 */
/* What depthwise_line_s8_dsp.S computes, in portable C. */
#include "tinyc_depthwise_3x3_s8.h"
#include "tinyc_requantize.h"

/* Pixel i of line k of a plane. */
TINYC_INLINE int32_t pixel(const int32_t *plane, int32_t k, int32_t i)
{
    const uint32_t word = (uint32_t)plane[(i >> 1) * TINYC_DEPTHWISE_LINES + k];
    return (int16_t)((i & 1) != 0 ? word >> 16 : word);
}

/* An accumulator, doubled, to a result; see tinyc_fast_requantize_dsp.h. */
TINYC_INLINE int8_t requantize(int32_t twice_acc, const tinyc_depthwise_channel *channel)
{
    const int64_t product = (int64_t)twice_acc * channel->multiplier + ((int64_t)1 << 31);
    const int32_t value = (int32_t)(product >> 32) + channel->half + (twice_acc >> 31);
    return (int8_t)tinyc_clamp_s32(value >> channel->right, INT8_MIN, INT8_MAX);
}

TINYC_FN(depthwise_line_s8)
void tinyc_depthwise_line_s8(
    const tinyc_depthwise_line *line, const tinyc_depthwise_channel *channel, const int32_t *planes, int8_t *output)
{
    for (int32_t c = 0; c < line->channels; ++c) {
        const int32_t *const taps = channel->taps + line->row / (int32_t)sizeof *channel->taps;
        for (int32_t i = 0; i < line->outputs; ++i) {
            const int32_t first = i * line->stride;
            int32_t twice_acc = channel->twice_bias;
            for (int32_t k = 0; k < TINYC_DEPTHWISE_LINES; ++k) {
                twice_acc += pixel(planes, k, first) * (int16_t)taps[2 * k];
                twice_acc += pixel(planes, k, first + 1) * (int16_t)taps[2 * k + 1];
                twice_acc += pixel(planes, k, first + 2) * (taps[2 * k + 1] >> 16);
            }
            output[i * line->step] = requantize(twice_acc, channel);
        }
        planes += line->plane / (int32_t)sizeof *planes;
        ++channel;
        ++output;
    }
}
