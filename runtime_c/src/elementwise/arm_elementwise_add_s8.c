/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"
#include "tinyc_nn.h"
#include "tinyc_requantize.h"
#include "tinyc_runtime.h"

/* What one input contributes: (value + offset) * 2^left_shift, then requantized. */
typedef struct {
    const int8_t *values;
    int32_t offset, mult, shift;
} operand;

/* A factor of exactly 1/2, as the operand with the larger scale has in TFLite's convention. */
static int is_half(const operand *x)
{
    return x->mult == (int32_t)1 << 30 && x->shift == 0;
}

static int in_range(int32_t value, int32_t lowest, int32_t highest)
{
    return value >= lowest && value <= highest;
}

/* The normal form of tinyc_add_s8; 0 where the parameters have none. */
static int normal_form(tinyc_add_s8_params *normal, const operand *a, const operand *b, int32_t left_shift)
{
    const int both = is_half(b);
    if (!is_half(a) || !in_range(left_shift, 1, 20) || !in_range(a->offset, -128, 128) ||
        !in_range(b->offset, -128, 128) || b->mult < 0 || !(both || in_range(b->shift, -30, -1))) {
        return 0;
    }
    /* Half of an even number is exact: with one more bit to the left, and shifted right again, it is the same. */
    normal->a_scale = (int32_t)1 << left_shift;
    normal->a_term = a->offset * normal->a_scale;
    normal->b_offset = b->offset;
    normal->b_scale = (int32_t)1 << (left_shift + 1 + both);
    normal->b_mult = b->mult;
    normal->b_right = both ? 1 : -b->shift;
    return 1;
}

/* output may be one of the inputs: an element is read before its place is written. */
TINYC_FN(arm_elementwise_add_s8)
arm_cmsis_nn_status tinyc_arm_elementwise_add_s8(const int8_t *input_1_vect, const int8_t *input_2_vect,
    const int32_t input_1_offset, const int32_t input_1_mult, const int32_t input_1_shift,
    const int32_t input_2_offset, const int32_t input_2_mult, const int32_t input_2_shift,
    const int32_t left_shift, int8_t *output, const int32_t out_offset, const int32_t out_mult,
    const int32_t out_shift, const int32_t out_activation_min, const int32_t out_activation_max,
    const int32_t block_size)
{
    operand a = {input_1_vect, input_1_offset, input_1_mult, input_1_shift};
    operand b = {input_2_vect, input_2_offset, input_2_mult, input_2_shift};
    tinyc_add_s8_params normal;

    if (!is_half(&a)) {
        const operand first = a;
        a = b;
        b = first;
    }
    if (out_mult >= 0 && in_range(out_shift, -22, -1) && in_range(out_offset, -128, 127) &&
        normal_form(&normal, &a, &b, left_shift)) {
        normal.out_mult = out_mult;
        normal.out_right = -out_shift;
        normal.out_offset = out_offset;
        normal.out_min = out_activation_min;
        normal.out_max = out_activation_max;
        tinyc_add_s8(&normal, a.values, b.values, output, block_size);
        return ARM_CMSIS_NN_SUCCESS;
    }
    for (int32_t i = 0; i < block_size; i++) {
        const int32_t x = tinyc_shift_left_s32(a.values[i] + a.offset, left_shift);
        const int32_t y = tinyc_shift_left_s32(b.values[i] + b.offset, left_shift);
        const int32_t sum = tinyc_requantize(x, a.mult, a.shift) + tinyc_requantize(y, b.mult, b.shift);
        output[i] = tinyc_requantize_to_s8(
            sum, out_mult, out_shift, out_offset, out_activation_min, out_activation_max);
    }
    return ARM_CMSIS_NN_SUCCESS;
}
