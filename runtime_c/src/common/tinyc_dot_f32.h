/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Register tiles of dot products: four rows of weights against one or two rows of input. Convolutions and fully
 * connected layers are made of them. One implementation per instruction set, src/f32/dot_f32_*.c.
 */
#ifndef TINYC_DOT_F32_H
#define TINYC_DOT_F32_H

#include "tinyc_runtime.h"

#include <stdint.h>

#define tinyc_dot4x1_f32 tinyc1_dot4x1_f32
#define tinyc_dot4x2_f32 tinyc1_dot4x2_f32

/* Four rows of weights, and the sums over them: for the first input row, then for the second. */
typedef struct {
    const float *weights[4];
    float sums[8];
} tinyc_dot_tile;

/*
 * Where the factors lie: rows of runs of neighbouring elements. Strides are in elements, from a row or run to the
 * next; those of the input and those of a row of weights.
 */
typedef struct {
    int32_t rows, runs, run_length;
    int32_t x_row, x_run;
    int32_t w_row, w_run;
} tinyc_dot_shape;

/* sums[i] += sum over all elements of x[element] * weights[i][element], i < 4 */
void tinyc_dot4x1_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x);

/* The same, and sums[4 + i] likewise for x + step. */
void tinyc_dot4x2_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x, int32_t step);

TINYC_INLINE float tinyc_clamp_f32(float value, float min, float max)
{
    value = value < min ? min : value;
    return value > max ? max : value;
}

/*
 * A tile for rows first .. first + 3 of a matrix with `rows` rows, sums at the bias (NULL for zeros). A row that
 * does not exist repeats the last one, so that a tile at the edge reads valid memory; its sums are not stored.
 */
TINYC_INLINE void tinyc_dot_start(
    tinyc_dot_tile *tile, const float *matrix, int32_t row_length, const float *bias, int32_t first, int32_t rows)
{
    for (int32_t i = 0; i < 4; i++) {
        const int32_t row = first + i < rows ? first + i : rows - 1;
        tile->weights[i] = matrix + row * row_length;
        tile->sums[i] = bias ? bias[row] : 0.0f;
        tile->sums[4 + i] = tile->sums[i];
    }
}

/* Up to four of the sums, clamped. */
TINYC_INLINE void tinyc_dot_store(float *out, const float *sums, int32_t count, float min, float max)
{
    for (int32_t i = 0; i < 4 && i < count; i++) {
        out[i] = tinyc_clamp_f32(sums[i], min, max);
    }
}

#endif /* TINYC_DOT_F32_H */
