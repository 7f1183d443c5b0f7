/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* A column of int16 for one output pixel, as CMSIS-NN needs it. */
TINYC_FN(arm_depthwise_conv_s8_opt_get_buffer_size)
int32_t tinyc_arm_depthwise_conv_s8_opt_get_buffer_size(
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    return input_dims->c * filter_dims->w * filter_dims->h * (int32_t)sizeof(int16_t);
}
