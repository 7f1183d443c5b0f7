/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of int16 activations and int8 weights: sums and biases of 64 bits with multipliers of 16, or, where CMSIS-NN is
 * given a bias of 32 bits, sums of 32 with multipliers of 32.
 */
#ifndef TINYC_S16_H
#define TINYC_S16_H

#include "tinyc_nn.h"
#include "tinyc_requantize.h"

#include <stddef.h>

#define tinyc_vec_mat_s16 tinyc1_vec_mat_s16
#define tinyc_dot_2_rows_s16 tinyc1_dot_2_rows_s16

/* So many products of int16 and int8 fit a sum of 32 bits. */
#define TINYC_BLOCK_S16 256

/* dst[c] = requantize(bias[c] + sum over k of lhs[k] * rhs[c][k]). At most one of the biases is not NULL. */
typedef struct {
    const int8_t *rhs; /* filters, [rhs_rows][rhs_cols] */
    const int64_t *bias;
    const int32_t *narrow_bias;
    int32_t narrow;            /* 1: sums and multipliers of 32 bits */
    const int32_t *multiplier; /* [rhs_rows], or one value where quant_step is 0 */
    const int32_t *shift;
    int32_t quant_step;
    int32_t rhs_rows;
    int32_t rhs_cols;
    int32_t dst_min;
    int32_t dst_max;
} tinyc_mat_mult_s16_params;

/* One row. lhs and dst must not overlap. */
void tinyc_vec_mat_s16(const tinyc_mat_mult_s16_params *params, const int16_t *lhs, int16_t *dst);

/* Adds the products of lhs[depth] with two rows, `second` bytes apart, to acc. One for each instruction set. */
void tinyc_dot_2_rows_s16(int64_t acc[2], const int16_t *lhs, const int8_t *rows, int32_t second, int32_t depth);

/* The multiplier in Q31 as one in Q15. */
TINYC_INLINE int32_t tinyc_reduce_multiplier(int32_t multiplier)
{
    return multiplier < 0x7fff0000 ? (multiplier + (1 << 15)) >> 16 : 0x7fff;
}

/* acc * multiplier * 2^(shift - 31), rounded half upwards, clamped; shift in [-31, 14]. */
TINYC_INLINE int16_t tinyc_requantize_to_s16(
    int64_t acc, int32_t multiplier, int32_t shift, int32_t lowest, int32_t highest)
{
    const int64_t product = acc * tinyc_reduce_multiplier(multiplier);
    const int64_t value = (product + ((int64_t)1 << (14 - shift))) >> (15 - shift);
    return (int16_t)(value < lowest ? lowest : value > highest ? highest : value);
}

#endif /* TINYC_S16_H */
