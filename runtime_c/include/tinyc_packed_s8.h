/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 layers whose constants the compiler has packed in the order in which Helium reads them. Zero points of inputs
 * are folded into the biases, so the sums are of plain products; scales are as in CMSIS-NN, with double rounding.
 */
#ifndef TINYC_PACKED_S8_H
#define TINYC_PACKED_S8_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_convolve_packed_s8 tinyc1_convolve_packed_s8
#define tinyc_multiply_packed_s8 tinyc1_multiply_packed_s8
#define tinyc_depthwise_packed_s8 tinyc1_depthwise_packed_s8
#define tinyc_depthwise_run_s8 tinyc1_depthwise_run_s8
#define tinyc_fully_connected_packed_s8 tinyc1_fully_connected_packed_s8

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Filters, `depth` bytes each (a multiple of 16, at least 16), channels in groups of four, filled up with zeros:
 *   filter[channels / 4][2][depth / 16][2][16]: channels 0 and 2 of the group, then 1 and 3 with the vectors of 16
 *   bytes in reverse order;
 *   scale[channels / 4][3][4]: biases, multipliers, shifts (in [-31, 0]).
 */
typedef struct {
    const int8_t *filter;
    const int32_t *scale;
    int32_t depth;
    int32_t channels; /* of the result: not filled up */
    int32_t out_zero;
    int32_t min;
    int32_t max;
} tinyc_packed_product_s8;

/*
 * out[r * channels + c] = clamp(requantize(bias[c] + sum over k of rows[r * depth + k] * filter[c][k]) + out_zero)
 * for `count` rows, 1 to 3. out must not overlap the rows.
 */
void tinyc_multiply_packed_s8(
    const tinyc_packed_product_s8 *product, const int8_t *rows, int32_t count, int8_t *out);

/* A convolution of one image, channels last: depth is kernel_h * kernel_w * in_c, rounded up. */
typedef struct {
    tinyc_packed_product_s8 product;
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
    int32_t in_zero;
} tinyc_packed_conv_s8;

/*
 * scratch: 3 * depth bytes. Pixels are computed in raster order, and read completely before they are written: out may
 * overlap in as far as that allows.
 */
void tinyc_convolve_packed_s8(const tinyc_packed_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out);

/*
 * A depthwise convolution of one image by 3x3 filters, channels last, at least 8 of them.
 *
 * packed: blocks of eight channels, 36 words each; the last block ends with the last channel and may overlap the one
 * before it. A block is the channels' biases, their filters, [3][3][8] bytes, multipliers, and shifts (in [-31, 0]) as
 * bytes; of biases, multipliers and shifts, those of the even channels come first.
 */
typedef struct {
    const int32_t *packed;
    int32_t channels;
    int32_t out_zero;
    int32_t min;
    int32_t max;
    int32_t in_h;
    int32_t in_w;
    int32_t out_h;
    int32_t out_w;
    int32_t stride_h;
    int32_t stride_w;
    int32_t pad_h; /* above */
    int32_t pad_w; /* to the left */
    int32_t in_zero;
} tinyc_packed_depthwise_s8;

/* Pixels whose windows lie in_step bytes apart, and their results out_step bytes. */
typedef struct {
    const int8_t *taps[9]; /* of the first window */
    int32_t pixels;        /* at least 1 */
    int32_t in_step;
    int32_t out_step;
} tinyc_depthwise_run;

/*
 * scratch: `channels` bytes. Pixels are computed in raster order, or from the last to the first where out begins above
 * in. out may overlap in as far as a pixel is written only when neither it nor a later one reads what is there.
 */
void tinyc_depthwise_packed_s8(
    const tinyc_packed_depthwise_s8 *layer, const int8_t *in, int8_t *scratch, int8_t *out);

/* The pixels of a run, all channels. Of the layer, only what comes before in_h is read. */
void tinyc_depthwise_run_s8(
    const tinyc_packed_depthwise_s8 *layer, const tinyc_depthwise_run *run, int8_t *out);

/* A fully connected layer with one scale. Filters and biases are filled up to a multiple of four channels. */
typedef struct {
    const int8_t *filter; /* [channels][depth] */
    const int32_t *bias;
    int32_t depth;
    int32_t channels; /* of the result: not filled up */
    int32_t multiplier;
    int32_t shift; /* in [-31, 0] */
    int32_t out_zero;
    int32_t min;
    int32_t max;
} tinyc_packed_fully_connected_s8;

/* out[c] = clamp(requantize(bias[c] + sum over k of in[k] * filter[c][k]) + out_zero). out must not overlap in. */
void tinyc_fully_connected_packed_s8(
    const tinyc_packed_fully_connected_s8 *layer, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_PACKED_S8_H */
