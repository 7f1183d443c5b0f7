/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 layers whose weights have a structure that saves flash: most are zero (sparse), or a channel has at most 16
 * different ones (clustered). Zero points of inputs are folded into the biases; scales are as in CMSIS-NN, with double
 * rounding.
 */
#ifndef TINYC_STRUCTURED_S8_H
#define TINYC_STRUCTURED_S8_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_sparse_row_s8 tinyc1_sparse_row_s8
#define tinyc_sparse_rows_s8 tinyc1_sparse_rows_s8
#define tinyc_clustered_row_s8 tinyc1_clustered_row_s8
#define tinyc_clustered_rows_s8 tinyc1_clustered_rows_s8
#define tinyc_convolve_sparse_s8 tinyc1_convolve_sparse_s8
#define tinyc_convolve_clustered_s8 tinyc1_convolve_clustered_s8

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Filters of `depth` weights each. Sums of products and bias lie within 30 bits and a sign.
 *
 * Sparse, for each channel and each 256 inputs (or what is left of them): the number of weights that are stored, at
 * most 255, a byte with the place of each among these inputs, then a byte with the value of each.
 *
 * Clustered, for each channel: (depth + 1) / 2 bytes with the weights' places in a table of 16, the first in the lower
 * half. values: [16] for all channels with a table_step of 0, or [channels][16] with one of 16; NULL where sparse.
 */
typedef struct {
    const uint8_t *filter;
    const int8_t *values;
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift; /* in [-31, 30] */
    int32_t scale_step;  /* 1: multiplier and shift for each channel; 0: one for all */
    int32_t table_step;
    int32_t depth;
    int32_t channels;
    int32_t out_zero;
    int32_t min;
    int32_t max;
} tinyc_structured_s8;

/*
 * out[c] = clamp(requantize(bias[c] + sum over k of row[k] * filter[c][k]) + out_zero), for one row of inputs or
 * `count`, `depth` bytes apart. Nothing overlaps.
 */
void tinyc_sparse_row_s8(const tinyc_structured_s8 *layer, const int8_t *row, int8_t *out);
void tinyc_sparse_rows_s8(const tinyc_structured_s8 *layer, const int8_t *rows, int32_t count, int8_t *out);
void tinyc_clustered_row_s8(const tinyc_structured_s8 *layer, const int8_t *row, int8_t *out);
void tinyc_clustered_rows_s8(const tinyc_structured_s8 *layer, const int8_t *rows, int32_t count, int8_t *out);

/* A convolution of one image, channels last: depth is kernel_h * kernel_w * in_c. */
typedef struct {
    tinyc_structured_s8 layer;
    int32_t in_h;
    int32_t in_w;
    int32_t in_c;
    int32_t out_h;
    int32_t out_w;
    int32_t kernel_h;
    int32_t kernel_w;
    int32_t stride_h;
    int32_t stride_w;
    int32_t pad_h; /* above */
    int32_t pad_w; /* to the left */
    int32_t dilation_h;
    int32_t dilation_w;
    int32_t in_zero;
} tinyc_structured_conv_s8;

/*
 * scratch: 4 * depth bytes. Pixels are computed in raster order, and read completely before they are written: out may
 * overlap in as far as that allows.
 */
void tinyc_convolve_sparse_s8(
    const tinyc_structured_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out);
void tinyc_convolve_clustered_s8(
    const tinyc_structured_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_STRUCTURED_S8_H */
