/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_DOT_ROWS_DSP_H
#define TINYC_DOT_ROWS_DSP_H

#include <stdint.h>

#define tinyc_dot_4_rows_dsp tinyc1_dot_4_rows_dsp

/* acc[r] += sum over k of (x[k] + lhs_offset) * weights[r * depth + k], for four rows. */
void tinyc_dot_4_rows_dsp(
    int32_t acc[4], const int8_t *x, const int8_t *weights, int32_t depth, int32_t lhs_offset);

#endif /* TINYC_DOT_ROWS_DSP_H */
