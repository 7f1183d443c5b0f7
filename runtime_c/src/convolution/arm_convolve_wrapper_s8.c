/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

#include <stddef.h>

/* Calls the most specific convolution that fits; its conditions and scratch are those of CMSIS-NN. */
TINYC_FN(arm_convolve_wrapper_s8)
arm_cmsis_nn_status tinyc_arm_convolve_wrapper_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    const cmsis_nn_tile stride = conv_params->stride;
    if (conv_params->padding.w == 0 && conv_params->padding.h == 0 && filter_dims->w == 1 &&
        filter_dims->h == 1 && conv_params->dilation.w == 1 && conv_params->dilation.h == 1 &&
        input_dims->c == filter_dims->c) {
        if (stride.w == 1 && stride.h == 1) {
            return tinyc_arm_convolve_1x1_s8_fast(ctx, conv_params, quant_params, input_dims, input_data,
                filter_dims, filter_data, bias_dims, bias_data, output_dims, output_data);
        }
        return tinyc_arm_convolve_1x1_s8(ctx, conv_params, quant_params, input_dims, input_data, filter_dims,
            filter_data, bias_dims, bias_data, output_dims, output_data);
    }
    if (input_dims->h == 1 && conv_params->dilation.w == 1 && filter_dims->h == 1 &&
        stride.w * input_dims->c % 4 == 0 && input_dims->c == filter_dims->c) {
        return tinyc_arm_convolve_1_x_n_s8(ctx, conv_params, quant_params, input_dims, input_data,
            filter_dims, filter_data, bias_dims, bias_data, output_dims, output_data);
    }
    return tinyc_arm_convolve_s8(ctx, conv_params, quant_params, input_dims, input_data, filter_dims,
        filter_data, bias_dims, bias_data, NULL, output_dims, output_data);
}
