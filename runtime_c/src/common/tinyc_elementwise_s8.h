/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inner loops of the int8 element-wise functions, one implementation per instruction set (_portable, _dsp, _mve).
 * They take the parameters in a normal form, which quantized models always have; arm_elementwise_*.c has a plain
 * loop for the rest. q(x) below is x / 2^32 rounded half upwards, d(x, e) is x / 2^e rounded half away from zero.
 * out may be a or b: elements are read before those at the same place, or later ones, are written.
 */
#ifndef TINYC_ELEMENTWISE_S8_H
#define TINYC_ELEMENTWISE_S8_H

#include "tinyc_runtime.h"

#include <stdint.h>

#define tinyc_add_s8 tinyc1_add_s8
#define tinyc_mul_s8 tinyc1_mul_s8

/*
 * Sum of two values, of which a's scale is a power of two:
 *   twice_sum = a * a_scale + a_term + 2 * d(q((b + b_offset) * b_scale * b_mult), b_right)
 *   out = clamp(d(q(twice_sum * out_mult), out_right) + out_offset)
 */
typedef struct {
    int32_t a_scale;  /* in [2, 2^20] */
    int32_t a_term;   /* a_offset * a_scale */
    int32_t b_offset; /* offsets in [-128, 128] */
    int32_t b_scale;  /* at most 2^22 */
    int32_t b_mult;
    int32_t b_right; /* in [1, 30] */
    int32_t out_mult;
    int32_t out_right; /* in [1, 22] */
    int32_t out_offset;
    int32_t out_min, out_max;
} tinyc_add_s8_params;

void tinyc_add_s8(const tinyc_add_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count);

/* out = clamp(d(q(2 * (a + a_offset) * (b + b_offset) * mult), right) + out_offset) */
typedef struct {
    int32_t a_offset, b_offset; /* in [-128, 128] */
    int32_t mult;
    int32_t right; /* in [1, 22] */
    int32_t out_offset;
    int32_t out_min, out_max;
} tinyc_mul_s8_params;

void tinyc_mul_s8(const tinyc_mul_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count);

#endif /* TINYC_ELEMENTWISE_S8_H */
