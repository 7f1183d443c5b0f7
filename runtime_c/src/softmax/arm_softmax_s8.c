/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax in the fixed-point arithmetic of TensorFlow Lite: exponentials as Q0.31, their sum as Q12.19. Both are
 * computed twice for every element, because the function gets no buffer to keep them in.
 */
#include "tinyc_nn.h"
#include "tinyc_requantize.h"
#include "tinyc_runtime.h"

#define SUM_INTEGER_BITS 12

/* value / 2^exponent rounded to nearest, for a value >= 0; exponent in [1, 31]. */
TINYC_INLINE int32_t round_non_negative(int32_t value, int32_t exponent)
{
    return (int32_t)(((uint32_t)value + ((uint32_t)1 << (exponent - 1))) >> exponent);
}

/* value * 2^exponent, saturated. */
static inline int32_t saturating_shift_left(int32_t value, int32_t exponent)
{
    const int32_t limit = INT32_MAX >> exponent;
    if (value > limit) {
        return INT32_MAX;
    }
    return value < -limit ? INT32_MIN : value * ((int32_t)1 << exponent);
}

/* exp(value) as Q0.31 for a value <= 0 as Q5.26: a polynomial on [-1/4, 0), then a factor for each set bit of the
 * rest, which is a multiple of 1/4. */
static int32_t exp_on_negative_q26(int32_t value)
{
    /* exp(-2^(i - 2)) as Q0.31 */
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = (int32_t)1 << 24;
    const int32_t fraction = (value & (quarter - 1)) - quarter;
    const int32_t x = fraction * 32 + ((int32_t)1 << 28); /* Q0.31, around -1/8 */
    const int32_t x2 = tinyc_doubling_high_mult(x, x);
    const int32_t x3 = tinyc_doubling_high_mult(x2, x);
    const int32_t x4 = tinyc_doubling_high_mult(x2, x2);
    const int32_t third = tinyc_doubling_high_mult(tinyc_rounding_divide_by_pot(x4, 2) + x3, 715827883);
    const int32_t polynomial = x + tinyc_rounding_divide_by_pot(third + x2, 1);
    uint32_t quarters = (uint32_t)(fraction - value) >> 24;
    int32_t result = 1895147668 + tinyc_doubling_high_mult(1895147668, polynomial); /* exp(-1/8) */

    if (value == 0) {
        return INT32_MAX;
    }
    for (const int32_t *factor = factors; quarters != 0; quarters >>= 1) {
        if (quarters & 1) {
            result = tinyc_doubling_high_mult(result, *factor);
        }
        factor++;
    }
    return result;
}

/* 1 / d as Q0.31, for a d in [1, 2) given as half of it in Q0.31: three Newton steps in Q2.29. */
static int32_t reciprocal(int32_t half_denominator)
{
    int32_t x = 1515870810 + tinyc_doubling_high_mult(half_denominator, -1010580540); /* 48/17 - 32/17 * d/2 */
    for (int32_t i = 0; i < 3; i++) {
        const int32_t error = ((int32_t)1 << 29) - tinyc_doubling_high_mult(half_denominator, x);
        x += saturating_shift_left(tinyc_doubling_high_mult(x, error), 2);
    }
    return saturating_shift_left(x, 1);
}

static void softmax_row(const int8_t *input,
                        int32_t row_size,
                        int32_t mult,
                        int32_t shift,
                        int32_t diff_min,
                        int8_t *output)
{
    int32_t max = INT8_MIN;
    uint32_t sum = 0;
    for (int32_t i = 0; i < row_size; i++) {
        max = input[i] > max ? input[i] : max;
    }
    for (int32_t i = 0; i < row_size; i++) {
        const int32_t diff = input[i] - max;
        if (diff >= diff_min) {
            const int32_t scaled = tinyc_doubling_high_mult(tinyc_shift_left_s32(diff, shift), mult);
            sum += (uint32_t)round_non_negative(exp_on_negative_q26(scaled), SUM_INTEGER_BITS);
        }
    }
    /* The row's maximum alone adds 1 to the sum, so it is not zero. */
    const int32_t headroom = __builtin_clz(sum);
    const int32_t scale = reciprocal((int32_t)((sum << headroom) >> 1));
    const int32_t exponent = SUM_INTEGER_BITS - headroom + 31 - 8;
    for (int32_t i = 0; i < row_size; i++) {
        const int32_t diff = input[i] - max;
        int32_t result = INT8_MIN;
        /* An exponent over 31 belongs to a sum of at least 512, and every share of it rounds to nothing. */
        if (diff >= diff_min && exponent <= 31) {
            const int32_t scaled = tinyc_doubling_high_mult(tinyc_shift_left_s32(diff, shift), mult);
            const int32_t share = tinyc_doubling_high_mult(scale, exp_on_negative_q26(scaled));
            result += round_non_negative(share, exponent);
        }
        output[i] = (int8_t)(result > INT8_MAX ? INT8_MAX : result);
    }
}

/* output may be input. A row's sum of exponentials stays below 8192: rows of up to 8191 elements always do. */
TINYC_FN(arm_softmax_s8)
void tinyc_arm_softmax_s8(const int8_t *input,
                          const int32_t num_rows,
                          const int32_t row_size,
                          const int32_t mult,
                          const int32_t shift,
                          const int32_t diff_min,
                          int8_t *output)
{
    for (int32_t row = 0; row < num_rows; row++) {
        softmax_row(input, row_size, mult, shift, diff_min, output);
        input += row_size;
        output += row_size;
    }
}
