/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Calls the most specific depthwise convolution with filters of 4 bits that fits, under the conditions of CMSIS-NN. */
TINYC_FN(arm_depthwise_conv_wrapper_s4)
arm_cmsis_nn_status tinyc_arm_depthwise_conv_wrapper_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *conv, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    if (conv->ch_mult == 1 && input_dims->n == 1 && conv->dilation.w == 1 && conv->dilation.h == 1) {
        return tinyc_arm_depthwise_conv_s4_opt(ctx, conv, quant_params, input_dims, input_data, filter_dims,
            filter_data, bias_dims, bias_data, output_dims, output_data);
    }
    return tinyc_arm_depthwise_conv_s4(ctx, conv, quant_params, input_dims, input_data, filter_dims, filter_data,
        bias_dims, bias_data, output_dims, output_data);
}
