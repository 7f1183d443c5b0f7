/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* What CMSIS-NN asks for: two columns of int16. */
TINYC_FN(arm_convolve_s4_get_buffer_size)
int32_t tinyc_arm_convolve_s4_get_buffer_size(const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    return 4 * filter_dims->w * filter_dims->h * input_dims->c;
}
