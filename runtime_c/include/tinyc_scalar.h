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

/* Leading zero bits of a value above 0. */
TINYC_INLINE int32_t tinyc_leading_zeros(int32_t value)
{
    int32_t count = 0;
    while (value < ((int32_t)1 << 30)) {
        value *= 2;
        count++;
    }
    return count + 1;
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

/* The bits of a float from its significand, whose highest bit is bit 30, and its biased exponent; rounded to nearest,
 * halves to even. */
TINYC_INLINE uint32_t tinyc_round_float(uint32_t significand, uint32_t exponent)
{
    return ((exponent - 1u) << 23) + ((significand + 63u + ((significand >> 7) & 1u)) >> 7);
}

/* a + b as bits, of floats that are neither negative nor infinite, nor is their sum. On cores without a floating-point
 * unit this is a tenth of the library's addition. */
TINYC_INLINE uint32_t tinyc_add_positive(uint32_t a, uint32_t b)
{
    const uint32_t large = a > b ? a : b;
    const uint32_t small = a > b ? b : a;
    const uint32_t normal = (uint32_t)(small >> 23 != 0u);
    uint32_t exponent = large >> 23 != 0u ? large >> 23 : 1u;
    const uint32_t distance = exponent - (normal != 0u ? small >> 23 : 1u);
    uint32_t sum = ((large & 0x7fffffu) | (large >> 23 != 0u ? 0x800000u : 0u)) << 7;
    const uint32_t other = ((small & 0x7fffffu) | normal << 23) << 7;
    if (distance > 31u) {
        return large;
    }
    sum += (other >> distance) | (uint32_t)((other & (((uint32_t)1 << distance) - 1u)) != 0u);
    if (sum >> 31 != 0u) {
        sum = (sum >> 1) | (sum & 1u);
        exponent++;
    }
    return tinyc_round_float(sum, exponent);
}

/* 1 - x as bits, of a float in [0, 2). */
TINYC_INLINE uint32_t tinyc_one_minus(uint32_t bits)
{
    const uint32_t sign = (uint32_t)(bits > 0x3f800000u) << 31;
    const uint32_t significand = (bits & 0x7fffffu) | 0x800000u;
    uint32_t exponent = bits >> 23;
    uint32_t rest;
    if (exponent < 120u) { /* below 2^-7: in units of 2^-30, where what is lost does not count but as not zero */
        const uint32_t shift = 120u - exponent;
        const uint32_t part = shift > 24u ? (uint32_t)(bits != 0u)
                                          : (significand >> shift)
                                                | (uint32_t)((significand & (((uint32_t)1 << shift) - 1u)) != 0u);
        rest = 0x40000000u - part;
        exponent = 120u;
    } else {
        const uint32_t one = (uint32_t)1 << (150u - exponent);
        rest = sign != 0u ? significand - one : one - significand;
    }
    if (rest == 0u) {
        return 0u;
    }
    while (rest >> 30 == 0u) {
        rest <<= 1;
        exponent--;
    }
    return sign | tinyc_round_float(rest, exponent + 7u);
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
