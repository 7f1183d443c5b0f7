/* SPDX-License-Identifier: Apache-2.0 */
/* Dot products of float32 with weights of int8. One implementation per instruction set, src/f32_w8/dot_f32_w8_*.c. */
#ifndef TINYC_DOT_F32_W8_H
#define TINYC_DOT_F32_W8_H

#include "tinyc_runtime.h"

#include <stdint.h>

#define tinyc_dot4_f32_w8 tinyc1_dot4_f32_w8

/* sums[k] = sum over i < count of x[i] * weights[k][i] */
void tinyc_dot4_f32_w8(const int8_t *const weights[4], const float *x, int32_t count, float sums[4]);

#endif /* TINYC_DOT_F32_W8_H */
