/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32_w8.h"

#include "tinyc_conv2d_channels_f32.h"
#include "tinyc_expand_filters_f32.h"

TINYC_FN(conv2d_f32_w8)
void tinyc_conv2d_f32_w8(const tinyc_conv2d_f32_params *params,
                         const float *in,
                         const int8_t *weights,
                         const float *scales,
                         const int8_t *zeros,
                         const float *bias,
                         float *out,
                         float *scratch,
                         int32_t at_once)
{
    const int32_t group_in = params->in_ch / params->groups;
    const int32_t group_out = params->out_ch / params->groups;
    const int32_t filter_size = params->kernel_h * params->kernel_w * group_in;
    for (int32_t group = 0; group < params->groups; group++) {
        const int32_t end = (group + 1) * group_out;
        for (int32_t first = end - group_out; first < end; first += at_once) {
            const int32_t channels = end - first < at_once ? end - first : at_once;
            tinyc_expand_filters_f32(weights + first * filter_size, scales + first, zeros ? zeros + first : zeros,
                                     scratch, 1, channels, filter_size);
            tinyc_conv2d_channels_f32(params, in + group * group_in, scratch, bias ? bias + first : bias, out + first,
                                      channels);
        }
    }
}
