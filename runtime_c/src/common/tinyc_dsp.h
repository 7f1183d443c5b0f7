/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building blocks for cores with the DSP extension (SMLAD): loads, widening and requantization.
 *
 * Four int8 values x0..x3 of a word become two words of two int16 each, "even" (x0, x2) and "odd" (x1, x3):
 * sxtb16 gives one, sxtb16 with a rotation by 8 the other, so nothing has to be shuffled.
 */
#ifndef TINYC_DSP_H
#define TINYC_DSP_H

#include "tinyc_requantize.h"

#include <arm_acle.h>
#include <string.h>

/* Four int8 values as a word; any alignment. */
TINYC_INLINE int8x4_t tinyc_load_s8x4(const int8_t *source)
{
    int8x4_t word;
    memcpy(&word, source, sizeof word);
    return word;
}

/* The odd values of a word, widened; ACLE has no rotating form. */
TINYC_INLINE int16x2_t tinyc_sxtb16_ror8(int8x4_t x)
{
    int16x2_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(x));
    return result;
}

/* The odd values of a word, widened and added to offsets. */
TINYC_INLINE int16x2_t tinyc_sxtab16_ror8(int16x2_t offsets, int8x4_t x)
{
    int16x2_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(offsets), "r"(x));
    return result;
}

/* value in both halves. */
TINYC_INLINE int16x2_t tinyc_dup_s16x2(int32_t value)
{
    return (int16x2_t)(((uint32_t)value & 0xffffu) * 0x10001u);
}

/*
 * tinyc_doubling_high_mult in three instructions: 2 * a * b = a * (2b mod 2^32, as signed) + a * 2^32 where
 * doubling b flips its sign. b must not be negative.
 */
TINYC_INLINE int32_t tinyc_doubling_high_mult_dsp(int32_t a, int32_t b)
{
    const int32_t twice = tinyc_shift_left_s32(b, 1);
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(twice), "r"(a & (twice >> 31)));
    return result;
}

/* tinyc_requantize_to_s8; the usual right shift takes the short way. */
TINYC_INLINE int8_t tinyc_requantize_to_s8_dsp(
    int32_t acc, int32_t multiplier, int32_t shift, int32_t offset, int32_t lowest, int32_t highest)
{
    int32_t value;
    if (shift < 0) {
        /*
         * Half away from zero is half upwards once negative values are lowered by one. The last bit is
         * shifted out after the sum with rounding bit and offset, which saturates far outside of int8.
         */
        value = tinyc_doubling_high_mult_dsp(acc, multiplier);
        value = (value + (value >> 31)) >> (-shift - 1);
        value = __qadd(value, 2 * offset + 1) >> 1;
    } else {
        value = __qadd(tinyc_doubling_high_mult_dsp(tinyc_shift_left_s32(acc, shift), multiplier), offset);
    }
    return (int8_t)tinyc_clamp_s32(value, lowest, highest);
}

#endif /* TINYC_DSP_H */
