/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

/* The kernel sums; see tinyc_fully_connected_s8.h. */
TINYC_FN(arm_fully_connected_s8_get_buffer_size)
int32_t tinyc_arm_fully_connected_s8_get_buffer_size(const cmsis_nn_dims *filter_dims)
{
    return filter_dims->c * (int32_t)sizeof(int32_t);
}
