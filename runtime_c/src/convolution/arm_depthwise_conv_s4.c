/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_requantize.h"
#include "tinyc_s4.h"

#include <stddef.h>

/* Any depthwise convolution with filters of 4 bits: channel multiplier, dilation, batches. Needs no scratch. */
TINYC_FN(arm_depthwise_conv_s4)
arm_cmsis_nn_status tinyc_arm_depthwise_conv_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *conv, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)ctx;
    (void)bias_dims;
    const int32_t channels = output_dims->c;
    const int32_t input_row = input_dims->w * input_dims->c;
    const int32_t pixels = input_dims->n * output_dims->h * output_dims->w;
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        const int32_t image = pixel / (output_dims->h * output_dims->w);
        const int32_t first_y = pixel / output_dims->w % output_dims->h * conv->stride.h - conv->padding.h;
        const int32_t first_x = pixel % output_dims->w * conv->stride.w - conv->padding.w;
        const int8_t *const input = input_data + image * input_dims->h * input_row;
        for (int32_t channel = 0; channel < channels; ++channel) {
            int32_t acc = bias_data != NULL ? bias_data[channel] : 0;
            for (int32_t ky = 0; ky < filter_dims->h; ++ky) {
                const int32_t y = first_y + ky * conv->dilation.h;
                for (int32_t kx = 0; kx < filter_dims->w && y >= 0 && y < input_dims->h; ++kx) {
                    const int32_t x = first_x + kx * conv->dilation.w;
                    if (x < 0 || x >= input_dims->w) {
                        continue;
                    }
                    const int32_t place = (ky * filter_dims->w + kx) * channels + channel;
                    const int8_t byte = filter_data[place / 2];
                    const int32_t weight = place % 2 == 0 ? tinyc_low_s4(byte) : tinyc_high_s4(byte);
                    acc += (input[y * input_row + x * input_dims->c + channel / conv->ch_mult] +
                        conv->input_offset) * weight;
                }
            }
            *output_data++ = tinyc_requantize_to_s8(acc, quant_params->multiplier[channel],
                quant_params->shift[channel], conv->output_offset, conv->activation.min, conv->activation.max);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
