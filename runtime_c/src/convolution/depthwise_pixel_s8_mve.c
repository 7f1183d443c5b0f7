/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"
#include "tinyc_mve.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bias, multipliers and shifts of eight channels. */
typedef struct {
    int32_t bias[8];
    int32_t multiplier[8];
    int32_t shift[8];
} last_channels;

/* Eight accumulators: even and odd channels. */
typedef int32x4x2_t accumulators;

/*
 * Adds one tap. Activations and filters are widened to 16 bits while loading. `valid` selects channels where
 * `partial`; a constant, so that whole blocks are not predicated at all.
 */
TINYC_INLINE accumulators add_tap(accumulators acc, const int8_t *x, const int8_t *w, int16_t offset,
    bool partial, mve_pred16_t valid)
{
    const int16x8_t inputs = vaddq_n_s16(partial ? vldrbq_z_s16(x, valid) : vldrbq_s16(x), offset);
    const int16x8_t weights = partial ? vldrbq_z_s16(w, valid) : vldrbq_s16(w);
    acc.val[0] = vaddq_s32(acc.val[0], vmullbq_int_s16(inputs, weights));
    acc.val[1] = vaddq_s32(acc.val[1], vmulltq_int_s16(inputs, weights));
    return acc;
}

/* Eight channels, or the first of them. bias (or NULL), multiplier and shift have eight elements. */
TINYC_INLINE void eight_channels(const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window,
    int32_t channel, bool partial, mve_pred16_t valid, const int32_t *bias, const int32_t *multiplier,
    const int32_t *shift, int8_t *output)
{
    const int32_t input_step = params->input_step_w;
    const int32_t filter_step = params->channels;
    const int32_t taps_w = window->taps_w;
    const int16_t offset = (int16_t)params->input_offset;
    const int8_t *input_row = window->input + channel;
    const int8_t *filter_row = window->filter + channel;
    accumulators acc = {{vdupq_n_s32(0), vdupq_n_s32(0)}};
    if (bias != NULL) {
        acc = vld2q_s32(bias);
    }
    for (int32_t ky = window->taps_h; ky > 0; --ky) {
        const int8_t *x = input_row;
        const int8_t *w = filter_row;
        if (taps_w == 3) {
            acc = add_tap(acc, x, w, offset, partial, valid);
            acc = add_tap(acc, x + input_step, w + filter_step, offset, partial, valid);
            acc = add_tap(acc, x + 2 * input_step, w + 2 * filter_step, offset, partial, valid);
        } else {
            for (int32_t kx = taps_w; kx > 0; --kx) {
                acc = add_tap(acc, x, w, offset, partial, valid);
                x += input_step;
                w += filter_step;
            }
        }
        input_row += params->input_step_h;
        filter_row += params->filter_step_h;
    }
    const int32x4x2_t multipliers = vld2q_s32(multiplier);
    const int32x4x2_t shifts = vld2q_s32(shift);
    const int32x4_t even = tinyc_requantize_mve(acc.val[0], multipliers.val[0], shifts.val[0],
        params->output_offset, params->output_min, params->output_max);
    const int32x4_t odd = tinyc_requantize_mve(acc.val[1], multipliers.val[1], shifts.val[1],
        params->output_offset, params->output_min, params->output_max);
    const int16x8_t result = vmovntq_s32(vreinterpretq_s16_s32(even), odd);
    if (partial) {
        vstrbq_p_s16(output, result, valid);
    } else {
        vstrbq_s16(output, result);
    }
}

TINYC_FN(depthwise_pixel_s8)
void tinyc_depthwise_pixel_s8(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int8_t *output)
{
    const int32_t channels = params->channels;
    int32_t channel = 0;
    for (; channel + 8 <= channels; channel += 8) {
        const int32_t *const bias = params->bias != NULL ? params->bias + channel : NULL;
        eight_channels(params, window, channel, false, 0, bias, params->multiplier + channel,
            params->shift + channel, output + channel);
    }
    if (channel < channels) {
        const int32_t left = channels - channel;
        const size_t bytes = (size_t)left * sizeof(int32_t);
        last_channels last = {{0}, {0}, {0}};
        if (params->bias != NULL) {
            memcpy(last.bias, params->bias + channel, bytes);
        }
        memcpy(last.multiplier, params->multiplier + channel, bytes);
        memcpy(last.shift, params->shift + channel, bytes);
        eight_channels(params, window, channel, true, vctp16q((uint32_t)left), last.bias,
            last.multiplier, last.shift, output + channel);
    }
}
