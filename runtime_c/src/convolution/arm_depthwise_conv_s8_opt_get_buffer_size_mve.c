/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Four columns of int8 for a block of 124 channels, as CMSIS-NN needs them. */
TINYC_FN(arm_depthwise_conv_s8_opt_get_buffer_size)
int32_t tinyc_arm_depthwise_conv_s8_opt_get_buffer_size(
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    (void)input_dims;
    return 4 * 124 * filter_dims->w * filter_dims->h;
}
