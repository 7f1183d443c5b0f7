/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Four columns of int8, each rounded up to whole vectors. */
TINYC_FN(arm_convolve_s8_get_buffer_size)
int32_t tinyc_arm_convolve_s8_get_buffer_size(
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    const int32_t depth = filter_dims->w * filter_dims->h * input_dims->c;
    return 4 * ((depth + 15) / 16 * 16);
}
