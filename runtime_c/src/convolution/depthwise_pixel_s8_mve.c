/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"
#include "tinyc_mve.h"

#include <stddef.h>

/* Four channels at a time, widened to 32 bits while loading; the last ones by predication. */
TINYC_FN(depthwise_pixel_s8)
void tinyc_depthwise_pixel_s8(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int8_t *output)
{
    const int32_t channels = params->channels;
    const int32_t input_step = params->input_step_w;

    for (int32_t channel = 0; channel < channels; channel += 4) {
        const mve_pred16_t valid = vctp32q((uint32_t)(channels - channel));
        const int8_t *input_row = window->input + channel;
        const int8_t *filter_row = window->filter + channel;
        int32x4_t acc = vdupq_n_s32(0);
        if (params->bias != NULL) {
            acc = vldrwq_z_s32(params->bias + channel, valid);
        }
        for (int32_t ky = window->taps_h; ky > 0; --ky) {
            const int8_t *x = input_row;
            const int8_t *w = filter_row;
            for (int32_t kx = window->taps_w; kx > 0; --kx) {
                const int32x4_t inputs = vaddq_n_s32(vldrbq_z_s32(x, valid), params->input_offset);
                acc = vaddq_s32(acc, vmulq_s32(inputs, vldrbq_z_s32(w, valid)));
                x += input_step;
                w += channels;
            }
            input_row += params->input_step_h;
            filter_row += params->filter_step_h;
        }
        acc = tinyc_requantize_mve(acc, vldrwq_z_s32(params->multiplier + channel, valid),
            vldrwq_z_s32(params->shift + channel, valid), params->output_offset, params->output_min,
            params->output_max);
        vstrbq_p_s32(output + channel, acc, valid);
    }
}
