/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"

/*
 * Depthwise 3x3 convolution of one batch, one output channel for each input channel, padding at most 1, no
 * dilation. Needs no scratch.
 */
TINYC_FN(arm_depthwise_conv_3x3_s8)
arm_cmsis_nn_status tinyc_arm_depthwise_conv_3x3_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *conv, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)ctx;
    (void)bias_dims;
    if (input_dims->c != output_dims->c || conv->padding.w > 1 || filter_dims->w != 3 || filter_dims->h != 3) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    tinyc_depthwise_image_s8(tinyc_depthwise_pixel_s8, conv, quant_params, input_dims, input_data,
        filter_dims, filter_data, bias_data, output_dims, output_data);
    return ARM_CMSIS_NN_SUCCESS;
}
