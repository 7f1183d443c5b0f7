/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"

#include "tinyc_runtime.h"

/* The figure of Arm's library for this instruction set, so that one plan serves both; this runtime needs none. */
TINYC_FN(arm_avgpool_s8_get_buffer_size)
int32_t tinyc_arm_avgpool_s8_get_buffer_size(const int dim_dst_width, const int ch_src)
{
    (void)dim_dst_width;
    return ch_src * (int32_t)sizeof(int32_t);
}
