/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* arm_convolve_1x1_s4 for stride 1; all pixels of the input have one of the output. */
TINYC_FN(arm_convolve_1x1_s4_fast)
arm_cmsis_nn_status tinyc_arm_convolve_1x1_s4_fast(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    if (conv_params->stride.w != 1 || conv_params->stride.h != 1) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const cmsis_nn_dims pixels = {input_dims->n, input_dims->h, input_dims->w, output_dims->c};
    return tinyc_arm_convolve_1x1_s4(ctx, conv_params, quant_params, input_dims, input_data, filter_dims,
        filter_data, bias_dims, bias_data, &pixels, output_data);
}
