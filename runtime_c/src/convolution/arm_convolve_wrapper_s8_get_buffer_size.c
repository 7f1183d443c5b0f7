/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Scratch of the function that arm_convolve_wrapper_s8 calls, in bytes. */
TINYC_FN(arm_convolve_wrapper_s8_get_buffer_size)
int32_t tinyc_arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims)
{
    const cmsis_nn_tile stride = conv_params->stride;
    if (conv_params->padding.w == 0 && conv_params->padding.h == 0 && filter_dims->w == 1 &&
        filter_dims->h == 1 && conv_params->dilation.w == 1 && conv_params->dilation.h == 1) {
        return stride.w == 1 && stride.h == 1 ? tinyc_arm_convolve_1x1_s8_fast_get_buffer_size(input_dims) : 0;
    }
    if (input_dims->h == 1 && conv_params->dilation.w == 1 && filter_dims->h == 1 &&
        stride.w * input_dims->c % 4 == 0) {
        return tinyc_arm_convolve_1_x_n_s8_get_buffer_size(
            conv_params, input_dims, filter_dims, output_dims);
    }
    return tinyc_arm_convolve_s8_get_buffer_size(input_dims, filter_dims);
}
