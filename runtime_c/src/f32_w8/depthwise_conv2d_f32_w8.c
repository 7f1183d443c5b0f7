/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32_w8.h"

#include "tinyc_expand_filters_f32.h"

TINYC_FN(depthwise_conv2d_f32_w8)
void tinyc_depthwise_conv2d_f32_w8(const tinyc_conv2d_f32_params *params,
                                   const float *in,
                                   const int8_t *weights,
                                   const float *scales,
                                   const int8_t *zeros,
                                   const float *bias,
                                   float *out,
                                   float *scratch)
{
    tinyc_expand_filters_f32(weights, scales, zeros, scratch, params->kernel_h * params->kernel_w, params->out_ch, 1);
    tinyc_depthwise_conv2d_f32(params, in, scratch, bias, out);
}
