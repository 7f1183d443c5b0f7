/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of single numbers for generated loops; all inline.
 */
#ifndef TINYC_SCALAR_H
#define TINYC_SCALAR_H

#include "tinyc_requantize.h"
#include "tinyc_runtime.h"

#include <stdint.h>
#include <string.h>

/* An accumulator to an output element of any scale: clamp(requantize(acc) + zero_point) to [lowest, highest], where
 * requantize multiplies by multiplier * 2^(shift - 31) with two roundings; shift in [-31, 30]. */
TINYC_INLINE int32_t tinyc_requantize_one(
    int32_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t lowest, int32_t highest)
{
    const int64_t value = (int64_t)tinyc_requantize(acc, multiplier, shift) + zero_point;
    return value < lowest ? lowest : value > highest ? highest : (int32_t)value;
}

/* A number that orders the bits of floats as the floats themselves: 0 for -infinity, -0 just below +0, every NaN above
 * +infinity. */
TINYC_INLINE uint32_t tinyc_float_key(uint32_t bits)
{
    return (bits ^ ((0u - (bits >> 31)) >> 1)) + 0x7f800001u;
}

/* The same for doubles. */
TINYC_INLINE uint64_t tinyc_double_key(uint64_t bits)
{
    return (bits ^ ((0u - (bits >> 63)) >> 1)) + 0x7ff0000000000001u;
}

/* The same for an accumulator of 64 bits below 2^47, which is multiplied by multiplier * 2^(shift - 15) and rounded half
 * upwards once; multiplier in [0, 2^15), shift in [-31, 14]. */
TINYC_INLINE int32_t tinyc_requantize_wide(
    int64_t acc, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t lowest, int32_t highest)
{
    const int64_t value = ((acc * multiplier + ((int64_t)1 << (14 - shift))) >> (15 - shift)) + zero_point;
    return value < lowest ? lowest : value > highest ? highest : (int32_t)value;
}

/* How many pairs of bits lift a variance below 2^62 to [2^60, 2^62); 0 where there is no variance. */
TINYC_INLINE int32_t tinyc_variance_shift(int64_t variance)
{
    int32_t pairs = 0;
    while (variance > 0 && variance < ((int64_t)1 << 60)) {
        variance <<= 2;
        pairs++;
    }
    return pairs;
}

/* 2^61 divided by the root of variance * 4^pairs, both rounded down, but below 2^31; 0 where there is no variance. */
TINYC_INLINE int32_t tinyc_variance_reciprocal(int64_t variance, int32_t pairs)
{
    uint64_t rest = (uint64_t)variance << (2 * pairs);
    uint64_t root = 0u;
    uint64_t bit = (uint64_t)1 << 60;
    if (variance <= 0) {
        return 0;
    }
    while (bit != 0u) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    root = ((uint64_t)1 << 61) / root;
    return root > 2147483647u ? INT32_MAX : (int32_t)root;
}

/* An element of a normalization: count times its distance from the mean times the reciprocal of the deviation, as above,
 * then scaled by multiplier * 2^(shift - 31) (a negative multiplier changes the sign), with an offset in 1/256. */
TINYC_INLINE int8_t tinyc_normalize_one(
    int32_t distance, int32_t reciprocal, int32_t pairs, int32_t multiplier, int32_t shift, int32_t offset,
    int32_t zero_point)
{
    const int32_t z = (int32_t)(((int64_t)distance * reciprocal + ((int64_t)1 << (40 - pairs))) >> (41 - pairs));
    const int32_t size = tinyc_requantize(z, multiplier < 0 ? -multiplier : multiplier, shift);
    const int32_t steps = tinyc_rounding_divide_by_pot((multiplier < 0 ? -size : size) + offset, 8) + zero_point;
    return (int8_t)tinyc_clamp_s32(steps, -128, 127);
}

/* The value of an IEEE half-precision number given by its bits; exact. */
TINYC_INLINE float tinyc_half_to_float(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t exponent = (uint32_t)(half >> 10) & 31u;
    const uint32_t fraction = half & 0x3ffu;
    uint32_t bits;
    float value;
    if (exponent == 0u) {
        value = (float)fraction * (1.0f / 16777216.0f); /* zero or subnormal: fraction * 2^-24 */
        return sign != 0u ? -value : value;
    }
    bits = sign | ((exponent == 31u ? 255u : exponent + 112u) << 23) | (fraction << 13);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The bits of the half-precision number nearest to value, halves to even. */
TINYC_INLINE uint16_t tinyc_float_to_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = (bits >> 16) & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return (uint16_t)(sign | 0x7e00u);
    }
    if (magnitude >= 0x47800000u) { /* from 2^16 on */
        return (uint16_t)(sign | 0x7c00u);
    }
    if (magnitude >= 0x38800000u) { /* normal: 2^-14 and above; a carry may run into the exponent */
        const uint32_t kept = magnitude - 0x38000000u;
        return (uint16_t)(sign | ((kept + 0xfffu + ((kept >> 13) & 1u)) >> 13));
    }
    if (magnitude < 0x33000000u) { /* below 2^-25 */
        return (uint16_t)sign;
    }
    {
        const uint32_t shift = 126u - (magnitude >> 23); /* from 14 to 24 */
        const uint32_t fraction = (magnitude & 0x7fffffu) | 0x800000u;
        const uint32_t kept = fraction >> shift;
        const uint32_t rest = fraction & (((uint32_t)1 << shift) - 1u);
        const uint32_t half = (uint32_t)1 << (shift - 1u);
        return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1u) != 0u) ? 1u : 0u)));
    }
}

#endif /* TINYC_SCALAR_H */
