/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"
#include "tinyc_requantize.h"

#include <stddef.h>

TINYC_FN(depthwise_pixel_s8)
void tinyc_depthwise_pixel_s8(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int8_t *output)
{
    const int32_t channels = params->channels;
    const int32_t input_offset = params->input_offset;
    const int32_t input_step = params->input_step_w;
    const int32_t taps_w = window->taps_w;

    for (int32_t channel = 0; channel < channels; ++channel) {
        const int8_t *input_row = window->input + channel;
        const int8_t *filter_row = window->filter + channel;
        int32_t acc = params->bias != NULL ? params->bias[channel] : 0;
        for (int32_t ky = window->taps_h; ky > 0; --ky) {
            const int8_t *x = input_row;
            const int8_t *w = filter_row;
            for (int32_t kx = taps_w; kx > 0; --kx) {
                acc += (*x + input_offset) * *w;
                x += input_step;
                w += channels;
            }
            input_row += params->input_step_h;
            filter_row += params->filter_step_h;
        }
        output[channel] = tinyc_requantize_to_s8(acc, params->multiplier[channel], params->shift[channel],
            params->output_offset, params->output_min, params->output_max);
    }
}
