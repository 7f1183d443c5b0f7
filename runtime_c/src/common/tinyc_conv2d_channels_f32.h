/* SPDX-License-Identifier: Apache-2.0 */
/* What convolutions with weights of different storage share. */
#ifndef TINYC_CONV2D_CHANNELS_F32_H
#define TINYC_CONV2D_CHANNELS_F32_H

#include "tinyc_f32.h"

#define tinyc_conv2d_channels_f32 tinyc1_conv2d_channels_f32

/* So many output channels, all of one group, of all pixels. `in` begins at the group's first input channel; weights,
 * bias (or NULL) and out begin at the first of the output channels. */
void tinyc_conv2d_channels_f32(const tinyc_conv2d_f32_params *params,
                               const float *in,
                               const float *weights,
                               const float *bias,
                               float *out,
                               int32_t channels);

#endif /* TINYC_CONV2D_CHANNELS_F32_H */
