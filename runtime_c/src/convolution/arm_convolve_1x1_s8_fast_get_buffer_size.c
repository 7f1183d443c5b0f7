/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* CMSIS-NN asks for scratch here in Arm Compiler builds for DSP cores only, and works without it. */
TINYC_FN(arm_convolve_1x1_s8_fast_get_buffer_size)
int32_t tinyc_arm_convolve_1x1_s8_fast_get_buffer_size(const cmsis_nn_dims *input_dims)
{
    (void)input_dims;
    return 0;
}
