/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of the int8 specification (TFLite, CMSIS-NN with double rounding), in portable C.
 *
 * A real factor is given as multiplier * 2^(shift - 31), multiplier in Q31 and not negative.
 */
#ifndef TINYC_REQUANTIZE_H
#define TINYC_REQUANTIZE_H

#include "tinyc_runtime.h"

#include <stdint.h>

TINYC_INLINE int32_t tinyc_max_s32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

TINYC_INLINE int32_t tinyc_min_s32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* value limited to [lowest, highest]. */
TINYC_INLINE int32_t tinyc_clamp_s32(int32_t value, int32_t lowest, int32_t highest)
{
    return tinyc_min_s32(tinyc_max_s32(value, lowest), highest);
}

/* value * 2^exponent; wraps like the hardware shift instead of being undefined. */
TINYC_INLINE int32_t tinyc_shift_left_s32(int32_t value, int32_t exponent)
{
    return (int32_t)((uint32_t)value << exponent);
}

/* High word of 2 * a * b, rounded half upwards; a * b must not be 2^62 (both -2^31). */
TINYC_INLINE int32_t tinyc_doubling_high_mult(int32_t a, int32_t b)
{
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1
    /* No long multiplication: four products of halves instead of a call to the 64-bit routine. */
    const int32_t a_high = a >> 16;
    const int32_t b_high = b >> 16;
    const uint32_t a_low = (uint32_t)a & 0xffffu;
    const uint32_t b_low = (uint32_t)b & 0xffffu;
    const int32_t middle = a_high * (int32_t)b_low + (int32_t)(a_low * b_low >> 16);
    const int32_t carried = (int32_t)a_low * b_high + (middle & 0xffff);
    const int32_t high = a_high * b_high + (middle >> 16) + (carried >> 16);
    /* The result's lowest bit and the one behind it, which rounds, are bits 31 and 30 of the low word. */
    return tinyc_shift_left_s32(high, 1) + ((((carried >> 14) & 3) + 1) >> 1);
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
#endif
}

/* value / 2^exponent, rounded half away from zero; exponent in [0, 31]. */
TINYC_INLINE int32_t tinyc_rounding_divide_by_pot(int32_t value, int32_t exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
    const int32_t remainder = value & mask;
    const int32_t threshold = (int32_t)((uint32_t)mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/*
 * value * multiplier * 2^(shift - 31), rounded twice as the specification says; shift in [-31, 30]. The second
 * rounding, half away from zero, is half upwards once negative values are lowered by one.
 */
TINYC_INLINE int32_t tinyc_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
    if (shift >= 0) {
        return tinyc_doubling_high_mult(tinyc_shift_left_s32(value, shift), multiplier);
    }
    value = tinyc_doubling_high_mult(value, multiplier);
    value = (value + (value >> 31)) >> (-shift - 1);
    return (value >> 1) + (value & 1);
}

/* An accumulator to an output element: rescale, add the output's zero point, clamp. */
TINYC_INLINE int8_t tinyc_requantize_to_s8(
    int32_t acc, int32_t multiplier, int32_t shift, int32_t offset, int32_t lowest, int32_t highest)
{
    return (int8_t)tinyc_clamp_s32(tinyc_requantize(acc, multiplier, shift) + offset, lowest, highest);
}

#endif /* TINYC_REQUANTIZE_H */
