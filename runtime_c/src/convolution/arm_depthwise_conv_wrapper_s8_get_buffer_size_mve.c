/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/*
 * What CMSIS-NN reports: it has no 3x3 version for Helium, and turns a layer with one input channel into a
 * convolution, with a transposed copy of the filters behind that one's scratch.
 */
TINYC_FN(arm_depthwise_conv_wrapper_s8_get_buffer_size)
int32_t tinyc_arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *dw_conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims)
{
    if (input_dims->c == 1 && output_dims->c > 1) {
        const cmsis_nn_dims conv_filter = {filter_dims->c, filter_dims->h, filter_dims->w, filter_dims->n};
        const cmsis_nn_conv_params conv_params = {
            .stride = dw_conv_params->stride,
            .padding = dw_conv_params->padding,
            .dilation = dw_conv_params->dilation,
        };
        return tinyc_arm_convolve_wrapper_s8_get_buffer_size(
                   &conv_params, input_dims, &conv_filter, output_dims) +
            filter_dims->n * filter_dims->h * filter_dims->w * filter_dims->c;
    }
    if (input_dims->c == output_dims->c && input_dims->n == 1 && dw_conv_params->dilation.w == 1 &&
        dw_conv_params->dilation.h == 1) {
        return tinyc_arm_depthwise_conv_s8_opt_get_buffer_size(input_dims, filter_dims);
    }
    return 0;
}
