/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_DOT_ROWS_MVE_H
#define TINYC_DOT_ROWS_MVE_H

#include <stdint.h>

#define tinyc_dot_4_rows_mve tinyc1_dot_4_rows_mve
#define tinyc_dot_5_rows_mve tinyc1_dot_5_rows_mve

/* acc[r] = sum over k of rows[r * stride + k] * vector[k], for four rows; returns the sum of the vector. */
int32_t tinyc_dot_4_rows_mve(
    int32_t acc[4], const int8_t *rows, int32_t stride, const int8_t *vector, int32_t depth);

/* The same for five rows. */
int32_t tinyc_dot_5_rows_mve(
    int32_t acc[5], const int8_t *rows, int32_t stride, const int8_t *vector, int32_t depth);

#endif /* TINYC_DOT_ROWS_MVE_H */
