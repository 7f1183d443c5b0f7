/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* The filters as int16, which is what CMSIS-NN asks for where there is no Helium; half of it is used. */
TINYC_FN(arm_depthwise_conv_s4_opt_get_buffer_size)
int32_t tinyc_arm_depthwise_conv_s4_opt_get_buffer_size(
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    return 2 * input_dims->c * filter_dims->w * filter_dims->h;
}
