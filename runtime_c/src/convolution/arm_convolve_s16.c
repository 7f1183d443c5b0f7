/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s16.h"

#include <string.h>

/* The input of the output pixel whose first tap is (first_y, first_x), gathered in column; padding is 0. */
static void gather(const cmsis_nn_conv_params *conv_params, const cmsis_nn_dims *input_dims,
    const cmsis_nn_dims *filter_dims, const int16_t *input, int32_t first_y, int32_t first_x, int16_t *column)
{
    const int32_t channels = input_dims->c;
    const size_t bytes = (size_t)channels * sizeof *column;
    for (int32_t ky = 0; ky < filter_dims->h; ++ky) {
        const int32_t y = first_y + ky * conv_params->dilation.h;
        for (int32_t kx = 0; kx < filter_dims->w; ++kx, column += channels) {
            const int32_t x = first_x + kx * conv_params->dilation.w;
            if (y >= 0 && y < input_dims->h && x >= 0 && x < input_dims->w) {
                memcpy(column, input + (y * input_dims->w + x) * channels, bytes);
            } else {
                memset(column, 0, bytes);
            }
        }
    }
}

/*
 * Any 2-D convolution of one group. Windows of one pixel without padding are read where they are, and need no scratch;
 * others are gathered in ctx->buf first. A bias of 32 bits means sums of 32 bits, too. Works in raster order.
 */
TINYC_FN(arm_convolve_s16)
arm_cmsis_nn_status tinyc_arm_convolve_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const cmsis_nn_bias_data *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data)
{
    (void)bias_dims;
    const cmsis_nn_tile stride = conv_params->stride;
    const bool single = filter_dims->h == 1 && filter_dims->w == 1 && conv_params->padding.h == 0 &&
        conv_params->padding.w == 0 && (output_dims->h - 1) * stride.h < input_dims->h &&
        (output_dims->w - 1) * stride.w < input_dims->w;
    if (ctx->buf == NULL && !single) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const tinyc_mat_mult_s16_params product = {
        .rhs = filter_data,
        .bias = bias_data->is_int32_bias ? NULL : (const int64_t *)bias_data->data,
        .narrow_bias = bias_data->is_int32_bias ? (const int32_t *)bias_data->data : NULL,
        .narrow = bias_data->is_int32_bias ? 1 : 0,
        .multiplier = quant_params->multiplier,
        .shift = quant_params->shift,
        .quant_step = 1,
        .rhs_rows = output_dims->c,
        .rhs_cols = filter_dims->h * filter_dims->w * input_dims->c,
        .dst_min = conv_params->activation.min,
        .dst_max = conv_params->activation.max,
    };
    int16_t *const column = (int16_t *)ctx->buf;
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t out_y = 0; out_y < output_dims->h; ++out_y) {
            const int32_t y = out_y * stride.h - conv_params->padding.h;
            for (int32_t out_x = 0; out_x < output_dims->w; ++out_x) {
                const int32_t x = out_x * stride.w - conv_params->padding.w;
                const int16_t *source = column;
                if (single) {
                    source = input_data + (y * input_dims->w + x) * input_dims->c;
                } else {
                    gather(conv_params, input_dims, filter_dims, input_data, y, x, column);
                }
                tinyc_vec_mat_s16(&product, source, output_data);
                output_data += output_dims->c;
            }
        }
        input_data += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
