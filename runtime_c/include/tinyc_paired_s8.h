/* SPDX-License-Identifier: Apache-2.0
 *
 * int8 convolutions and matrix products with filters that the compiler has packed in the order of the inner loop, for
 * cores with SMLAD. Input zero points are part of the filters' first sums, and padding is the zero point itself.
 *
 * Filters come in tiles of four. Two filters share each 16-bit lane: a lane holds 256 * b + a for the weights a of one
 * and b of the next. A product with the lanes sums 256 * B + A, one with the sign-extended low bytes A; so B needs no
 * unpacking. A tile is
 *   four first sums: a0, 256 * a1 + a0, a2, 256 * a3 + a2;
 *   for each step two words: filters 0 and 1, and 2 and 3, each with two weights in its lanes;
 *   the requantization of each filter, in one of two forms, see `away`.
 * Where four does not divide the number of filters, the second tile begins with the last ones of the first tile.
 */
#ifndef TINYC_PAIRED_S8_H
#define TINYC_PAIRED_S8_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_product_paired_s8 tinyc1_product_paired_s8
#define tinyc_convolve_paired_s8 tinyc1_convolve_paired_s8
#define tinyc_fully_connected_paired_s8 tinyc1_fully_connected_paired_s8
#define tinyc_fully_connected_paired_8_s8 tinyc1_fully_connected_paired_8_s8

#ifdef __cplusplus
extern "C" {
#endif

/*
 * away = 0: halves are rounded up. Results are saturate((256 * sum * multiplier / 2^32 + addend) / 2^shift), rounded
 * down; a tile has multiplier, addend and shift of each filter, a word each.
 * Else halves are rounded away from zero, and away = 2 * output zero point + 1. Results are
 * saturate((t / 2^less + away) / 2), rounded down each time, with t = sum * (2^32 + multiplier) / 2^32 rounded to
 * nearest, less 1 where it is negative. A tile has four multipliers and then, a byte each, four `less`: shifts less 1.
 * Sums lie in [-2^23, 2^23).
 */
typedef struct {
    const int32_t *tiles;
    int32_t steps; /* pairs of weights of each filter */
    int32_t count; /* tiles */
    int32_t away;
    int32_t repeated;      /* filters of the first tile that the second one has as well */
    int32_t constant_step; /* bytes from a filter's requantization to the next one's, fully connected layers only */
} tinyc_paired_filters;

/* A window over an image [height][width][channels]. */
typedef struct {
    int32_t height;
    int32_t width;
    int32_t channels;
    int32_t rows; /* of the window */
    int32_t columns;
    int32_t stride_y;
    int32_t stride_x;
    int32_t pad_y; /* above */
    int32_t pad_x; /* on the left */
    int32_t padding; /* the input's zero point */
    int32_t out_height;
    int32_t out_width;
    int32_t out_channels;
} tinyc_paired_window;

/*
 * out[rows][channels] from in[rows][depth]; scratch: 4 * (depth rounded up to even) bytes, aligned to 4. Rows are taken
 * in ascending order, two at a time, each pair read completely before it is written; out may overlap in accordingly.
 */
void tinyc_product_paired_s8(const tinyc_paired_filters *filters, const int8_t *in, int32_t rows, int32_t depth,
    int8_t *out, int32_t channels, int16_t *scratch);

/*
 * One image, its result's pixels in raster order, two at a time as above. With a row of the window of
 * r = columns * channels bytes, scratch has rows * 4 * (r rounded up to even) bytes, and rows * r more where the window
 * leaves the image; aligned to 4.
 */
void tinyc_convolve_paired_s8(const tinyc_paired_filters *filters, const tinyc_paired_window *window, const int8_t *in,
    int8_t *out, int16_t *scratch);

/*
 * out[filters] from in[2 * steps], a multiple of four. Requantization stands behind all tiles, once where constant_step
 * is 0, else (12) for each filter of each tile: multiplier, addend and shift, or multiplier, away and less. Of four
 * weights in a row, a step has the first and the third, the next one the second and the fourth.
 */
void tinyc_fully_connected_paired_s8(const tinyc_paired_filters *filters, const int8_t *in, int8_t *out);

/*
 * The same by tiles of eight filters, a multiple of which there are: eight first sums, and for each step four words. All
 * filters have the same requantization, once behind all tiles.
 */
void tinyc_fully_connected_paired_8_s8(const tinyc_paired_filters *filters, const int8_t *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_PAIRED_S8_H */
