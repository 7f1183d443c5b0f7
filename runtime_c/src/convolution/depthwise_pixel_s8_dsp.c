/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"
#include "tinyc_dsp.h"

#include <stddef.h>

/* Adds one tap of four neighbouring channels to their accumulators. */
TINYC_INLINE void add_tap(const int8_t *x, const int8_t *w, int16x2_t offsets, int32_t acc[4])
{
    const int8x4_t inputs = tinyc_load_s8x4(x);
    const int8x4_t weights = tinyc_load_s8x4(w);
    const int16x2_t x_even = __sxtab16(offsets, inputs);
    const int16x2_t w_even = __sxtb16(weights);
    acc[0] = __smlabb(x_even, w_even, acc[0]);
    acc[2] = __smlatt(x_even, w_even, acc[2]);
    const int16x2_t x_odd = tinyc_sxtab16_ror8(offsets, inputs);
    const int16x2_t w_odd = tinyc_sxtb16_ror8(weights);
    acc[1] = __smlabb(x_odd, w_odd, acc[1]);
    acc[3] = __smlatt(x_odd, w_odd, acc[3]);
}

static int32_t one_channel(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int32_t channel)
{
    const int8_t *input_row = window->input + channel;
    const int8_t *filter_row = window->filter + channel;
    int32_t acc = 0;
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

static int8_t finish(const tinyc_depthwise_s8_params *params, int32_t acc, int32_t channel)
{
    return tinyc_requantize_to_s8_dsp(acc, params->multiplier[channel], params->shift[channel],
        params->output_offset, params->output_min, params->output_max);
}

/* Four channels at a time, a word of input and of filter for each tap; rows of three taps are unrolled. */
TINYC_FN(depthwise_pixel_s8)
void tinyc_depthwise_pixel_s8(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int8_t *output)
{
    const int32_t channels = params->channels;
    const int32_t input_step = params->input_step_w;
    const int16x2_t offsets = tinyc_dup_s16x2(params->input_offset);
    int32_t channel = 0;

    for (; channel + 3 < channels; channel += 4) {
        const int8_t *input_row = window->input + channel;
        const int8_t *filter_row = window->filter + channel;
        int32_t acc[4] = {0, 0, 0, 0};
        if (params->bias != NULL) {
            memcpy(acc, params->bias + channel, sizeof acc);
        }
        for (int32_t ky = window->taps_h; ky > 0; --ky) {
            if (window->taps_w == 3) {
                add_tap(input_row, filter_row, offsets, acc);
                add_tap(input_row + input_step, filter_row + channels, offsets, acc);
                add_tap(input_row + 2 * input_step, filter_row + 2 * channels, offsets, acc);
            } else {
                const int8_t *x = input_row;
                const int8_t *w = filter_row;
                for (int32_t kx = window->taps_w; kx > 0; --kx) {
                    add_tap(x, w, offsets, acc);
                    x += input_step;
                    w += channels;
                }
            }
            input_row += params->input_step_h;
            filter_row += params->filter_step_h;
        }
        output[channel] = finish(params, acc[0], channel);
        output[channel + 1] = finish(params, acc[1], channel + 1);
        output[channel + 2] = finish(params, acc[2], channel + 2);
        output[channel + 3] = finish(params, acc[3], channel + 3);
    }
    for (; channel < channels; ++channel) {
        const int32_t bias = params->bias != NULL ? params->bias[channel] : 0;
        output[channel] = finish(params, bias + one_channel(params, window, channel), channel);
    }
}
