/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* Two columns of int16, each rounded up to a multiple of four elements. */
TINYC_FN(arm_convolve_s8_get_buffer_size)
int32_t tinyc_arm_convolve_s8_get_buffer_size(
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims)
{
    const int32_t depth = filter_dims->w * filter_dims->h * input_dims->c;
    return 2 * ((depth + 3) / 4 * 4) * (int32_t)sizeof(int16_t);
}
