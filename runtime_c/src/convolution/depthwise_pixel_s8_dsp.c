/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"
#include "tinyc_dsp.h"

#include <stddef.h>

/* Adds one tap of four neighbouring channels to their accumulators. */
TINYC_INLINE tinyc_s32x4 add_tap(tinyc_s32x4 acc, const int8_t *x, const int8_t *w, int16x2_t offsets)
{
    const int8x4_t inputs = tinyc_load_s8x4(x);
    const int8x4_t weights = tinyc_load_s8x4(w);
    const int16x2_t x_even = __sxtab16(offsets, inputs);
    const int16x2_t w_even = __sxtb16(weights);
    acc.at0 = __smlabb(x_even, w_even, acc.at0);
    acc.at2 = __smlatt(x_even, w_even, acc.at2);
    const int16x2_t x_odd = tinyc_sxtab16_ror8(offsets, inputs);
    const int16x2_t w_odd = tinyc_sxtb16_ror8(weights);
    acc.at1 = __smlabb(x_odd, w_odd, acc.at1);
    acc.at3 = __smlatt(x_odd, w_odd, acc.at3);
    return acc;
}

TINYC_INLINE tinyc_s32x4 load_s32x4(const int32_t *source)
{
    const tinyc_s32x4 loaded = {source[0], source[1], source[2], source[3]};
    return loaded;
}

static int32_t one_channel(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int32_t channel)
{
    const int8_t *input_row = window->input + channel;
    const int8_t *filter_row = window->filter + channel;
    int32_t acc = params->bias != NULL ? params->bias[channel] : 0;
    for (int32_t ky = window->taps_h; ky > 0; --ky) {
        const int8_t *x = input_row;
        const int8_t *w = filter_row;
        for (int32_t kx = window->taps_w; kx > 0; --kx) {
            acc += (*x + params->input_offset) * *w;
            x += params->input_step_w;
            w += params->channels;
        }
        input_row += params->input_step_h;
        filter_row += params->filter_step_h;
    }
    return acc;
}

/* Four channels at a time, a word of input and of filter for each tap; rows of three taps are unrolled. */
TINYC_FN(depthwise_pixel_s8)
void tinyc_depthwise_pixel_s8(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int8_t *output)
{
    const tinyc_output_stage stage =
        tinyc_prepare_output(params->output_offset, params->output_min, params->output_max);
    const int32_t channels = params->channels;
    const int32_t input_step = params->input_step_w;
    const int32_t input_step_h = params->input_step_h;
    const int32_t filter_step_h = params->filter_step_h;
    const int32_t taps_h = window->taps_h;
    const int32_t taps_w = window->taps_w;
    const int32_t *const bias = params->bias;
    const int32_t *const multiplier = params->multiplier;
    const int32_t *const shift = params->shift;
    const int16x2_t offsets = tinyc_dup_s16x2(params->input_offset);
    int32_t channel = 0;

    for (; channel + 3 < channels; channel += 4) {
        const int8_t *input_row = window->input + channel;
        const int8_t *filter_row = window->filter + channel;
        tinyc_s32x4 acc = {0, 0, 0, 0};
        if (bias != NULL) {
            acc = load_s32x4(bias + channel);
        }
        if (taps_w == 3) {
            for (int32_t ky = taps_h; ky > 0; --ky) {
                acc = add_tap(acc, input_row, filter_row, offsets);
                acc = add_tap(acc, input_row + input_step, filter_row + channels, offsets);
                acc = add_tap(acc, input_row + 2 * input_step, filter_row + 2 * channels, offsets);
                input_row += input_step_h;
                filter_row += filter_step_h;
            }
        } else {
            for (int32_t ky = taps_h; ky > 0; --ky) {
                const int8_t *x = input_row;
                const int8_t *w = filter_row;
                for (int32_t kx = taps_w; kx > 0; --kx) {
                    acc = add_tap(acc, x, w, offsets);
                    x += input_step;
                    w += channels;
                }
                input_row += input_step_h;
                filter_row += filter_step_h;
            }
        }
        const uint32_t bytes = tinyc_requantize_s8x4(
            acc, load_s32x4(multiplier + channel), load_s32x4(shift + channel), &stage);
        memcpy(output + channel, &bytes, sizeof bytes);
    }
    for (; channel < channels; ++channel) {
        output[channel] = tinyc_requantize_s8_dsp(
            one_channel(params, window, channel), multiplier[channel], shift[channel], &stage);
    }
}
