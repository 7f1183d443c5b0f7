/* SPDX-License-Identifier: Apache-2.0
 *
 * int8 convolutions of 3x3 windows with stride 1 by Winograd's F(2x2, 3x3), in exact integers, for cores with SMLAD.
 *
 * Four results of 2x2 pixels come from 4x4 pixels of the input by 16 products a channel in place of 36. With d the input
 * along an axis, g the filter and m the sums over all channels of the products of
 *   values   d1 + d2,           d2 - d1,           d0 - d2,   d3 - d1
 *   weights  g0 + g1 + g2,      g0 - g1 + g2,      2 * g0,    2 * g2
 * twice the results are m0 + m1 + m2 and m0 - m1 + m3. Along both axes that makes 16 positions, numbered 4 * column + row
 * in this order, and four times the results. Values fit 10 bits and weights 12, and what sums lose above 32 bits cancels
 * out: the results fit.
 *
 * Filters come in tiles of four, packed by the compiler. A tile is
 *   four first sums, times 4: they belong to position 0, which counts in all results;
 *   for each position and step four words, one for each filter, with two weights in their 16-bit lanes;
 *   for each filter three words of requantization: where `away` is 0, multiplier, addend and shift as in
 *   tinyc_paired_s8.h, but for 4 times the sum in place of 256 times; else multiplier, `away` and `less`.
 * Where four does not divide the number of filters, the second tile begins with the last ones of the first tile.
 */
#ifndef TINYC_WINOGRAD_S8_H
#define TINYC_WINOGRAD_S8_H

#include "tinyc_paired_s8.h"

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_convolve_winograd_s8 tinyc1_convolve_winograd_s8

#ifdef __cplusplus
extern "C" {
#endif

/* An image [height][width][channels], channels a multiple of four, and its result. */
typedef struct {
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t pad_y; /* above */
    int32_t pad_x; /* on the left */
    int32_t padding; /* the input's zero point */
    int32_t out_height;
    int32_t out_width;
    int32_t out_channels;
} tinyc_winograd_image;

/*
 * One image. filters->steps: of a position, half the channels. Its 2x2 tiles of results are computed in raster order, two
 * at a time, whose input is read completely before they are written. scratch: 64 bytes for each channel and the larger of
 * 16 for each channel and 8 for each output channel, aligned to 4.
 */
void tinyc_convolve_winograd_s8(const tinyc_paired_filters *filters, const tinyc_winograd_image *image, const int8_t *in,
    int8_t *out, int16_t *scratch);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_WINOGRAD_S8_H */
