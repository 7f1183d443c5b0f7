/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution through columns of int8, for the variants whose matrix product reads int8 rows. */
#ifndef TINYC_GATHER_S8_H
#define TINYC_GATHER_S8_H

#include "tinyc_convolve_image_s8.h"

#include <string.h>

/* Gathers the input of the output pixel whose first tap is (y, x); padding becomes zero_point. */
static inline void tinyc_gather_s8(const tinyc_convolve_geometry *geometry, const int8_t *input,
    int32_t zero_point, int32_t y, int32_t x, int8_t *column)
{
    const size_t tap = (size_t)geometry->kernel_c;
    const size_t row = tap * (size_t)geometry->kernel_w;
    const bool contiguous = tinyc_is_contiguous(geometry, x);
    for (int32_t ky = 0; ky < geometry->kernel_h; ++ky, y += geometry->dilation_h) {
        if (!tinyc_holds_input(y, geometry->input_h, geometry->upscale_h)) {
            memset(column, zero_point, row);
            column += row;
            continue;
        }
        if (contiguous) {
            memcpy(column, tinyc_input_pixel(geometry, input, y, x), row);
            column += row;
            continue;
        }
        for (int32_t kx = 0, tap_x = x; kx < geometry->kernel_w; ++kx, tap_x += geometry->dilation_w) {
            if (tinyc_holds_input(tap_x, geometry->input_w, geometry->upscale_w)) {
                memcpy(column, tinyc_input_pixel(geometry, input, y, tap_x), tap);
            } else {
                memset(column, zero_point, tap);
            }
            column += tap;
        }
    }
}

/* tinyc_convolve_image_s8 with `block` columns at a time, column_stride bytes apart in scratch. */
TINYC_INLINE void tinyc_convolve_image_by_gathering(const tinyc_convolve_geometry *geometry,
    const tinyc_mat_mult_s8_params *product, const int8_t *input, int8_t *scratch, int32_t column_stride,
    int32_t block, int8_t *output)
{
    int32_t waiting = 0;
    for (int32_t out_y = 0; out_y < geometry->output_h; ++out_y) {
        const int32_t y = out_y * geometry->stride_h - geometry->pad_h;
        int32_t x = -geometry->pad_w;
        for (int32_t out_x = 0; out_x < geometry->output_w; ++out_x, x += geometry->stride_w) {
            tinyc_gather_s8(
                geometry, input, -product->lhs_offset, y, x, scratch + waiting * column_stride);
            if (++waiting == block) {
                tinyc_mat_mult_s8(product, scratch, waiting, column_stride, output, geometry->output_c);
                output += waiting * geometry->output_c;
                waiting = 0;
            }
        }
    }
    tinyc_mat_mult_s8(product, scratch, waiting, column_stride, output, geometry->output_c);
}

#endif /* TINYC_GATHER_S8_H */
