/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Two columns, as CMSIS-NN asks for. */
TINYC_FN(arm_convolve_s16_get_buffer_size)
int32_t tinyc_arm_convolve_s16_get_buffer_size(const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    return 2 * (int32_t)sizeof(int16_t) * filter_dims->w * filter_dims->h * input_dims->c;
}
