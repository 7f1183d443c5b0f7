/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Nothing: only the DSP and Helium versions of CMSIS-NN gather their input. */
TINYC_FN(arm_depthwise_conv_s8_opt_get_buffer_size)
int32_t tinyc_arm_depthwise_conv_s8_opt_get_buffer_size(
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    (void)input_dims;
    (void)filter_dims;
    return 0;
}
