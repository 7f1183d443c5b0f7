/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two inner loops that convolutions and fully connected layers share, each with one implementation per
 * instruction set (_portable, _dsp, _mve) under the contract written here.
 */
#ifndef TINYC_MAT_MULT_S8_H
#define TINYC_MAT_MULT_S8_H

#include "tinyc_runtime.h"

#include <stdint.h>

#define tinyc_mat_mult_s8 tinyc1_mat_mult_s8
#define tinyc_vec_mat_s8 tinyc1_vec_mat_s8

/*
 * Bytes of stack in which tinyc_mat_mult_s8 keeps a block of rows whose place may be overwritten by its
 * results. Rows of up to this length may be overlapped (see there).
 */
#define TINYC_ROW_BUFFER_BYTES 512

/*
 * What stays the same for all rows of one matrix product
 *   dst[r][c] = requantize(init[c] + sum over k of (lhs[r][k] + lhs_offset) * rhs[c][k]).
 */
typedef struct {
    const int8_t *rhs;         /* filters, [rhs_rows][rhs_cols] */
    const int32_t *bias;       /* [rhs_rows], or NULL for zeros */
    const int32_t *kernel_sum; /* [rhs_rows] or NULL; see tinyc_vec_mat_s8 */
    const int32_t *multiplier; /* [rhs_rows], or one value where quant_step is 0 */
    const int32_t *shift;      /* likewise */
    int32_t quant_step;        /* 1: requantization per channel, 0: one for all */
    int32_t rhs_rows;          /* output channels */
    int32_t rhs_cols;          /* accumulation depth */
    int32_t lhs_offset;        /* minus the input's zero point, in [-127, 128] */
    int32_t addend;            /* added to every accumulator */
    int32_t dst_offset;        /* the output's zero point */
    int32_t dst_min;           /* clamp of the output */
    int32_t dst_max;
} tinyc_mat_mult_s8_params;

/*
 * One row: dst[rhs_rows] from lhs[rhs_cols]; they must not overlap.
 *
 * Where kernel_sum is given, kernel_sum[c] takes the place of bias[c] + lhs_offset * sum of filter c, which
 * it must equal. Only the Helium variant reads it; the others use bias and lhs_offset.
 */
void tinyc_vec_mat_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst);

/*
 * lhs_rows rows, lhs_stride bytes apart, into rows of dst that are dst_stride bytes apart. kernel_sum is not
 * used and addend must be 0.
 *
 * Overlap: dst may overlap lhs where dst <= lhs, dst_stride <= lhs_stride, rhs_rows <= rhs_cols and
 * rhs_cols <= TINYC_ROW_BUFFER_BYTES: rows are taken in ascending order, and a block of rows is read
 * completely before the first of its results is written.
 */
void tinyc_mat_mult_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_rows,
    int32_t lhs_stride, int8_t *dst, int32_t dst_stride);

#endif /* TINYC_MAT_MULT_S8_H */
