/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Scratch of the function that arm_depthwise_conv_wrapper_s8 calls, in bytes. */
TINYC_FN(arm_depthwise_conv_wrapper_s8_get_buffer_size)
int32_t tinyc_arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *dw_conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims)
{
    const cmsis_nn_tile padding = dw_conv_params->padding;
    if (input_dims->c != output_dims->c || input_dims->n != 1 || dw_conv_params->dilation.w != 1 ||
        dw_conv_params->dilation.h != 1) {
        return 0;
    }
    if (filter_dims->w == 3 && filter_dims->h == 3 && padding.h <= 1 && padding.w <= 1) {
        return 0;
    }
    return tinyc_arm_depthwise_conv_s8_opt_get_buffer_size(input_dims, filter_dims);
}
