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

/* Four accumulators, or anything else that comes in fours. By value, so that it stays in registers. */
typedef struct {
    int32_t at0;
    int32_t at1;
    int32_t at2;
    int32_t at3;
} tinyc_s32x4;

/* What is added and clamped to after rescaling, prepared once for many outputs. */
typedef struct {
    int32_t offset;
    int32_t rounding_and_twice_offset;
    uint8x4_t lowest;
    uint8x4_t highest;
} tinyc_output_stage;

/* value in all four bytes. */
TINYC_INLINE uint32_t tinyc_dup_s8x4(int32_t value)
{
    return ((uint32_t)value & 0xffu) * 0x01010101u;
}

/* offset, lowest and highest in [-128, 127]. */
TINYC_INLINE tinyc_output_stage tinyc_prepare_output(int32_t offset, int32_t lowest, int32_t highest)
{
    const tinyc_output_stage stage = {
        offset, 2 * offset + 1, tinyc_dup_s8x4(lowest), tinyc_dup_s8x4(highest)};
    return stage;
}

/* Nearest value in [-128, 127]; written out because compilers disagree about the type of ACLE's __ssat. */
TINYC_INLINE int32_t tinyc_saturate_s8(int32_t value)
{
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
}

/* Bytes 0 and 2, zero-extended to 16 bits; written out for the same reason. */
TINYC_INLINE uint32_t tinyc_uxtb16(uint32_t x)
{
    uint32_t result;
    __asm__("uxtb16 %0, %1" : "=r"(result) : "r"(x));
    return result;
}

/* The low halves of two words, the first in the low half; ACLE has none. */
TINYC_INLINE uint32_t tinyc_pkhbt(int32_t low, int32_t high)
{
    uint32_t result;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
    return result;
}

/*
 * Rescaled by a right shift (shift < 0), offset added, saturated to int8. Half away from zero is half upwards
 * once negative values are lowered by one. The last bit is shifted out after the sum with rounding bit and
 * offset, which saturates far outside of int8.
 */
TINYC_INLINE int32_t tinyc_requantize_right(
    int32_t acc, int32_t multiplier, int32_t shift, const tinyc_output_stage *stage)
{
    int32_t value = tinyc_doubling_high_mult_dsp(acc, multiplier);
    value = (value + (value >> 31)) >> ~shift;
    value = __qadd(value, stage->rounding_and_twice_offset);
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(value) : "r"(value));
    return value;
}

/* The same for any shift; seldom called, so not inlined. */
static __attribute__((noinline, unused)) int32_t tinyc_requantize_any(
    int32_t acc, int32_t multiplier, int32_t shift, const tinyc_output_stage *stage)
{
    return tinyc_saturate_s8(__qadd(tinyc_requantize(acc, multiplier, shift), stage->offset));
}

/* Four bytes clamped by comparing and selecting all of them at once. */
TINYC_INLINE uint32_t tinyc_clamp_s8x4(uint32_t bytes, const tinyc_output_stage *stage)
{
    (void)__ssub8((int8x4_t)bytes, (int8x4_t)stage->lowest);
    bytes = (uint32_t)__sel((uint8x4_t)bytes, stage->lowest);
    (void)__ssub8((int8x4_t)stage->highest, (int8x4_t)bytes);
    return (uint32_t)__sel((uint8x4_t)bytes, stage->highest);
}

/* Four accumulators to four output bytes, the first in the lowest byte. */
TINYC_INLINE uint32_t tinyc_requantize_s8x4(
    tinyc_s32x4 acc, tinyc_s32x4 multiplier, tinyc_s32x4 shift, const tinyc_output_stage *stage)
{
    if ((shift.at0 & shift.at1 & shift.at2 & shift.at3) < 0) {
        acc.at0 = tinyc_requantize_right(acc.at0, multiplier.at0, shift.at0, stage);
        acc.at1 = tinyc_requantize_right(acc.at1, multiplier.at1, shift.at1, stage);
        acc.at2 = tinyc_requantize_right(acc.at2, multiplier.at2, shift.at2, stage);
        acc.at3 = tinyc_requantize_right(acc.at3, multiplier.at3, shift.at3, stage);
    } else {
        acc.at0 = tinyc_requantize_any(acc.at0, multiplier.at0, shift.at0, stage);
        acc.at1 = tinyc_requantize_any(acc.at1, multiplier.at1, shift.at1, stage);
        acc.at2 = tinyc_requantize_any(acc.at2, multiplier.at2, shift.at2, stage);
        acc.at3 = tinyc_requantize_any(acc.at3, multiplier.at3, shift.at3, stage);
    }
    const uint32_t even = tinyc_pkhbt(acc.at0, acc.at2);
    const uint32_t odd = tinyc_pkhbt(acc.at1, acc.at3);
    return tinyc_clamp_s8x4(tinyc_uxtb16(even) | tinyc_uxtb16(odd) << 8, stage);
}

/* One accumulator to one output. */
TINYC_INLINE int8_t tinyc_requantize_s8_dsp(
    int32_t acc, int32_t multiplier, int32_t shift, const tinyc_output_stage *stage)
{
    return (int8_t)tinyc_clamp_s8x4((uint32_t)tinyc_requantize_any(acc, multiplier, shift, stage), stage);
}

#endif /* TINYC_DSP_H */
