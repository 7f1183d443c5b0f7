/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"
#include "tinyc_requantize.h"

#include <stddef.h>

TINYC_FN(depthwise_pixel_multiplied_s8)
void tinyc_depthwise_pixel_multiplied_s8(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int8_t *output)
{
    int32_t channel = 0;
    for (int32_t input_channel = 0; channel < params->channels; ++input_channel) {
        for (const int32_t end = channel + params->ch_mult; channel < end; ++channel) {
            const int8_t *input_row = window->input + input_channel;
            const int8_t *filter_row = window->filter + channel;
            int32_t acc = params->bias != NULL ? params->bias[channel] : 0;
            for (int32_t ky = 0; ky < window->taps_h; ++ky) {
                for (int32_t kx = 0; kx < window->taps_w; ++kx) {
                    acc += (input_row[kx * params->input_step_w] + params->input_offset) *
                        filter_row[kx * params->channels];
                }
                input_row += params->input_step_h;
                filter_row += params->filter_step_h;
            }
            output[channel] = tinyc_requantize_to_s8(acc, params->multiplier[channel], params->shift[channel],
                params->output_offset, params->output_min, params->output_max);
        }
    }
}
