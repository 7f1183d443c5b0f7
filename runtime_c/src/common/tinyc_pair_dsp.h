/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of columns: the activations of two output pixels, widened to int16 with the zero point removed, in
 * the order that the SMLAD loop reads. For each group of four k it holds four words:
 *   column 0: (x0, x2), (x1, x3); column 1: (x0, x2), (x1, x3).
 * A depth that is no multiple of four is filled up with zeros. Size: 4 * (depth rounded up to 4) bytes.
 */
#ifndef TINYC_PAIR_DSP_H
#define TINYC_PAIR_DSP_H

#include "tinyc_dsp.h"
#include "tinyc_mat_mult_s8.h"

#define tinyc_dot_pair_dsp tinyc1_dot_pair_dsp
#define tinyc_mat_mult_pair_dsp tinyc1_mat_mult_pair_dsp

/*
 * Over `groups` groups of four k: acc[0], acc[1] += column 0 with the row at weights and the row second_row
 * bytes further on; acc[2], acc[3] += column 1 with the same rows. pair is aligned to 4 bytes.
 */
void tinyc_dot_pair_dsp(
    int32_t acc[4], const int16_t *pair, const int8_t *weights, int32_t second_row, int32_t groups);

/*
 * Both rows of results, dst0[rhs_rows] from column 0 and dst1[rhs_rows] from column 1. Where dst1 equals
 * dst0, the results of column 0 remain: that is how a single column is multiplied, whatever column 1 holds.
 */
void tinyc_mat_mult_pair_dsp(
    const tinyc_mat_mult_s8_params *params, const int16_t *pair, int8_t *dst0, int8_t *dst1);

/* Where value k of a column stands, for a pair pointer advanced by 4 for column 1. */
TINYC_INLINE int32_t tinyc_pair_index(int32_t k)
{
    return (k >> 2) * 8 + (k & 1) * 2 + ((k >> 1) & 1);
}

#define tinyc_pair_append tinyc1_pair_append
#define tinyc_pair_finish tinyc1_pair_finish

/*
 * Fills a column from pieces of any length. What is no multiple of four waits in `waiting` until enough has
 * come together. Begin with {column, minus the zero point}; column is pair, or pair + 4 for column 1.
 */
typedef struct {
    int16_t *column;
    int32_t offset;
    int32_t count; /* bytes in waiting */
    int8_t waiting[64];
} tinyc_pair_writer;

/* Appends count values; source NULL for padding, which becomes zeros. */
void tinyc_pair_append(tinyc_pair_writer *writer, const int8_t *source, int32_t count);

/* Writes what still waits, filled up with zeros to a multiple of four. */
void tinyc_pair_finish(tinyc_pair_writer *writer);

#endif /* TINYC_PAIR_DSP_H */
