/* SPDX-License-Identifier: Apache-2.0 */
/* The inner functions that all depthwise convolutions share. */
#ifndef TINYC_DEPTHWISE_S8_H
#define TINYC_DEPTHWISE_S8_H

#include "tinyc_nn.h"

#define tinyc_depthwise_image_s8 tinyc1_depthwise_image_s8
#define tinyc_depthwise_pixel_s8 tinyc1_depthwise_pixel_s8
#define tinyc_depthwise_pixel_multiplied_s8 tinyc1_depthwise_pixel_multiplied_s8

/* What stays the same for all pixels of a layer. */
typedef struct {
    const int32_t *bias; /* [channels], or NULL for zeros */
    const int32_t *multiplier;
    const int32_t *shift;
    int32_t channels;     /* output channels */
    int32_t ch_mult;      /* output channels for each input channel */
    int32_t input_offset; /* minus the input's zero point, in [-127, 128] */
    int32_t output_offset;
    int32_t output_min;
    int32_t output_max;
    int32_t input_step_w; /* bytes from one tap to the next */
    int32_t input_step_h;
    int32_t filter_step_h; /* bytes from one row of the filter to the next; taps are channels bytes apart */
} tinyc_depthwise_s8_params;

/* The taps of one output pixel that lie inside the input; input and filter point to the first of them. */
typedef struct {
    const int8_t *input;
    const int8_t *filter;
    int32_t taps_h;
    int32_t taps_w;
} tinyc_depthwise_window;

/* One output pixel, all channels. Taps outside the input contribute nothing and are left out. */
typedef void tinyc_depthwise_pixel_fn(
    const tinyc_depthwise_s8_params *params, const tinyc_depthwise_window *window, int8_t *output);

/* ch_mult is 1. One implementation per instruction set. */
tinyc_depthwise_pixel_fn tinyc_depthwise_pixel_s8;

/* Any ch_mult. */
tinyc_depthwise_pixel_fn tinyc_depthwise_pixel_multiplied_s8;

/*
 * A whole layer, all batches, by calling pixel for each output pixel: in raster order, or from the last pixel
 * to the first where the output begins above the input. With one batch the output may overlap the input as
 * far as each pixel is written only when no pixel after it, in that order, nor itself reads what is there.
 */
void tinyc_depthwise_image_s8(tinyc_depthwise_pixel_fn *pixel, const cmsis_nn_dw_conv_params *conv,
    const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *input_dims, const int8_t *input,
    const cmsis_nn_dims *filter_dims, const int8_t *filter, const int32_t *bias,
    const cmsis_nn_dims *output_dims, int8_t *output);

#endif /* TINYC_DEPTHWISE_S8_H */
