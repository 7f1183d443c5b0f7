/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The convolution of one image and one group of channels through columns of gathered input (im2col), with
 * one implementation per instruction set.
 */
#ifndef TINYC_CONVOLVE_IMAGE_S8_H
#define TINYC_CONVOLVE_IMAGE_S8_H

#include "tinyc_mat_mult_s8.h"

#include <stdbool.h>

#define tinyc_convolve_image_s8 tinyc1_convolve_image_s8

/* Extents in elements. The input is indexed as if it were upscaled: each stored row (column) is followed by
 * 2^upscale - 1 rows (columns) of zero points, as transposed convolutions need. */
typedef struct {
    int32_t input_h; /* after upscaling */
    int32_t input_w;
    int32_t input_c; /* of all groups: distance between pixels */
    int32_t kernel_h;
    int32_t kernel_w;
    int32_t kernel_c; /* of one group */
    int32_t output_h;
    int32_t output_w;
    int32_t output_c; /* of all groups: distance between pixels */
    int32_t pad_h;
    int32_t pad_w;
    int32_t stride_h;
    int32_t stride_w;
    int32_t dilation_h;
    int32_t dilation_w;
    int32_t upscale_h; /* log2: 0 or 1 */
    int32_t upscale_w;
} tinyc_convolve_geometry;

/*
 * input and output point to the group's first channel of the first pixel; product->rhs_cols is
 * kernel_h * kernel_w * kernel_c. scratch is aligned to 4 bytes and as long as
 * arm_convolve_s8_get_buffer_size says for the instruction set. Nothing overlaps.
 */
void tinyc_convolve_image_s8(const tinyc_convolve_geometry *geometry, const tinyc_mat_mult_s8_params *product,
    const int8_t *input, void *scratch, int8_t *output);

/* Whether an upscaled index holds input, and not padding or one of the zeros in between. */
TINYC_INLINE bool tinyc_holds_input(int32_t index, int32_t extent, int32_t upscale)
{
    return index >= 0 && index < extent && (index & ((1 << upscale) - 1)) == 0;
}

/* Whether kernel_w taps from column x are one run of input bytes. */
TINYC_INLINE bool tinyc_is_contiguous(const tinyc_convolve_geometry *geometry, int32_t x)
{
    return geometry->dilation_w == 1 && geometry->upscale_w == 0 && geometry->kernel_c == geometry->input_c &&
        x >= 0 && x + geometry->kernel_w <= geometry->input_w;
}

/* The pixel (y, x) of the input, both upscaled indices that hold input. */
TINYC_INLINE const int8_t *tinyc_input_pixel(
    const tinyc_convolve_geometry *geometry, const int8_t *input, int32_t y, int32_t x)
{
    const int32_t stored_w = geometry->input_w >> geometry->upscale_w;
    return input +
        ((y >> geometry->upscale_h) * stored_w + (x >> geometry->upscale_w)) * geometry->input_c;
}

#endif /* TINYC_CONVOLVE_IMAGE_S8_H */
