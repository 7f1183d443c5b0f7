/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* As much as CMSIS-NN reports, which falls back to arm_convolve_s8 here. */
TINYC_FN(arm_convolve_1_x_n_s8_get_buffer_size)
int32_t tinyc_arm_convolve_1_x_n_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims)
{
    (void)conv_params;
    (void)output_dims;
    return tinyc_arm_convolve_s8_get_buffer_size(input_dims, filter_dims);
}
