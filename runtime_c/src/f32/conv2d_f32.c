/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_conv2d_channels_f32.h"

TINYC_FN(conv2d_f32)
void tinyc_conv2d_f32(const tinyc_conv2d_f32_params *params,
                      const float *in,
                      const float *weights,
                      const float *bias,
                      float *out)
{
    const int32_t group_in = params->in_ch / params->groups;
    const int32_t group_out = params->out_ch / params->groups;
    const int32_t group_weights = group_out * params->kernel_h * params->kernel_w * group_in;
    for (int32_t group = 0; group < params->groups; group++) {
        const int32_t first = group * group_out;
        tinyc_conv2d_channels_f32(params, in + group * group_in, weights + group * group_weights,
                                  bias ? bias + first : bias, out + first, group_out);
    }
}
