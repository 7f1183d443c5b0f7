/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_DEPTHWISE_F32_H
#define TINYC_DEPTHWISE_F32_H

#include "tinyc_f32.h"
#include "tinyc_window_f32.h"

#define tinyc_depthwise_pixel_f32 tinyc1_depthwise_pixel_f32

/*
 * One output pixel of a depthwise convolution without channel multiplier, clamped: the channels from 0 on, in fours;
 * a rest of up to three is left out. `in` is the image, `bias` may be NULL. One implementation per instruction set.
 */
void tinyc_depthwise_pixel_f32(const tinyc_conv2d_f32_params *params, tinyc_window rows, tinyc_window cols,
    const float *in, const float *weights, const float *bias, float *out);

#endif /* TINYC_DEPTHWISE_F32_H */
