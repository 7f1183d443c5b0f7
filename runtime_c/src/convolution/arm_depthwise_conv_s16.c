/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s16.h"

/* Any depthwise convolution: channel multiplier, dilation, batches. Needs no scratch. Works in raster order. */
TINYC_FN(arm_depthwise_conv_s16)
arm_cmsis_nn_status tinyc_arm_depthwise_conv_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *conv, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int64_t *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data)
{
    (void)ctx;
    (void)bias_dims;
    const int32_t channels = output_dims->c;
    const int32_t input_row = input_dims->w * input_dims->c;
    const int32_t input_step = conv->dilation.w * input_dims->c;
    const int32_t input_line = conv->dilation.h * input_row;
    const int32_t filter_line = filter_dims->w * channels;
    const int32_t pixels = input_dims->n * output_dims->h * output_dims->w;
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        const int32_t image = pixel / (output_dims->h * output_dims->w);
        const int32_t y = pixel / output_dims->w % output_dims->h * conv->stride.h - conv->padding.h;
        const int32_t x = pixel % output_dims->w * conv->stride.w - conv->padding.w;
        /* Taps [begin_y, end_y) of the columns and [begin_x, end_x) of the rows lie inside the input. */
        int32_t begin_x = 0;
        int32_t end_x = filter_dims->w;
        while (begin_x < end_x && x + begin_x * conv->dilation.w < 0) {
            ++begin_x;
        }
        while (begin_x < end_x && x + (end_x - 1) * conv->dilation.w >= input_dims->w) {
            --end_x;
        }
        int32_t begin_y = 0;
        int32_t end_y = filter_dims->h;
        while (begin_y < end_y && y + begin_y * conv->dilation.h < 0) {
            ++begin_y;
        }
        while (begin_y < end_y && y + (end_y - 1) * conv->dilation.h >= input_dims->h) {
            --end_y;
        }
        const int16_t *const first = input_data + image * input_dims->h * input_row +
            (y + begin_y * conv->dilation.h) * input_row + (x + begin_x * conv->dilation.w) * input_dims->c;
        const int8_t *const filter = filter_data + (begin_y * filter_dims->w + begin_x) * channels;
        const int32_t taps = end_x - begin_x;
        for (int32_t channel = 0; channel < channels; ++channel) {
            const int16_t *line = first + (conv->ch_mult == 1 ? channel : channel / conv->ch_mult);
            const int8_t *weights_line = filter + channel;
            int64_t acc = bias_data != NULL ? bias_data[channel] : 0;
            int32_t sum = 0;
            int32_t room = TINYC_BLOCK_S16;
            for (int32_t ky = begin_y; ky < end_y; ++ky) {
                const int16_t *tap = line;
                const int8_t *weight = weights_line;
                for (int32_t left = taps; left > 0;) {
                    if (room == 0) {
                        acc += sum;
                        sum = 0;
                        room = TINYC_BLOCK_S16;
                    }
                    const int32_t run = tinyc_min_s32(left, room);
                    for (int32_t k = run; k > 0; --k) {
                        sum += *tap * *weight;
                        tap += input_step;
                        weight += channels;
                    }
                    left -= run;
                    room -= run;
                }
                line += input_line;
                weights_line += filter_line;
            }
            acc += sum;
            *output_data++ = tinyc_requantize_to_s16(acc, quant_params->multiplier[channel],
                quant_params->shift[channel], conv->activation.min, conv->activation.max);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
