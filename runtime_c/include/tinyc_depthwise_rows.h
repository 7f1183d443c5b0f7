/* SPDX-License-Identifier: Apache-2.0 */
/* int8 depthwise convolution with windows of 3x3, for cores without SIMD: a row of one channel at a time. */
#ifndef TINYC_DEPTHWISE_ROWS_H
#define TINYC_DEPTHWISE_ROWS_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_depthwise_rows_s8 tinyc1_depthwise_rows_s8

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One image. At most the first pixel of a row has a window that begins left of the image, by one column, and at most
 * the last one, another pixel, a window that ends right of it, by one column.
 */
typedef struct {
    int32_t input_h;
    int32_t input_w;
    int32_t output_h;
    int32_t output_w;
    int32_t stride_h;
    int32_t stride_w;
    int32_t padding_h; /* above */
    int32_t padding_w; /* to the left, 0 or 1 */
    int32_t channels;
    int32_t padding_value; /* the input's zero point */
    int32_t output_offset;
    int32_t lowest;
    int32_t highest;
} tinyc_depthwise_rows;

/*
 * weights: [channel][3][3]. channels: for each channel, the bias less the weights' sum times the input's zero point,
 * and the multiplier. A sum of products, in [-2^20, 2^20), is scaled by multiplier * 2^(-exponent - 31), rounded twice as
 * the int8 specification says; exponents in [1, 14]. sums: a word for each pixel of an output row.
 *
 * Like memmove, an output that begins above its input is computed from the last row to the first. Either way, a row of
 * the output is written while its windows are read.
 */
void tinyc_depthwise_rows_s8(const tinyc_depthwise_rows *conv, const int8_t *input, const int8_t *weights,
    const uint8_t *exponents, const int32_t *channels, int8_t *output, int32_t *sums);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_DEPTHWISE_ROWS_H */
