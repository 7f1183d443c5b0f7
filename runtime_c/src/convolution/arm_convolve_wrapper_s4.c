/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Calls the most specific convolution with filters of 4 bits that fits. */
TINYC_FN(arm_convolve_wrapper_s4)
arm_cmsis_nn_status tinyc_arm_convolve_wrapper_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    const cmsis_nn_tile stride = conv_params->stride;
    if (conv_params->padding.w == 0 && conv_params->padding.h == 0 && filter_dims->w == 1 && filter_dims->h == 1 &&
        conv_params->dilation.w == 1 && conv_params->dilation.h == 1) {
        if (stride.w == 1 && stride.h == 1) {
            return tinyc_arm_convolve_1x1_s4_fast(ctx, conv_params, quant_params, input_dims, input_data,
                filter_dims, filter_data, bias_dims, bias_data, output_dims, output_data);
        }
        return tinyc_arm_convolve_1x1_s4(ctx, conv_params, quant_params, input_dims, input_data, filter_dims,
            filter_data, bias_dims, bias_data, output_dims, output_data);
    }
    return tinyc_arm_convolve_s4(ctx, conv_params, quant_params, input_dims, input_data, filter_dims, filter_data,
        bias_dims, bias_data, output_dims, output_data);
}
