/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of tinyc_paired_s8.h in C, for the twins of its assembly. */
#ifndef TINYC_PAIRED_NUMBERS_H
#define TINYC_PAIRED_NUMBERS_H

#include "tinyc_paired_s8.h"

/* One of the two lanes of a word of filters. */
TINYC_INLINE int32_t tinyc_paired_lane(int32_t word, int32_t k)
{
    return (int16_t)(uint16_t)((uint32_t)word >> (16 * k));
}

TINYC_INLINE int32_t tinyc_wrapping_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* Rounded down; negative numbers are shifted as their complements. */
TINYC_INLINE int64_t tinyc_shift_right(int64_t value, int32_t bits)
{
    return value >= 0 ? value >> bits : ~(~value >> bits);
}

TINYC_INLINE int8_t tinyc_saturated_s8(int64_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* One filter's requantization: addend and shift, or `away` and `less`. */
typedef struct {
    int32_t multiplier;
    int32_t addend;
    int32_t shift;
} tinyc_paired_constants;

TINYC_INLINE int8_t tinyc_paired_requantize(int32_t sum, int32_t away, const tinyc_paired_constants *constants)
{
    if (away == 0) {
        const int64_t product = tinyc_shift_right(INT64_C(256) * sum * constants->multiplier, 32);
        return tinyc_saturated_s8(tinyc_shift_right(product + constants->addend, constants->shift));
    }
    const int64_t factor = constants->multiplier + (INT64_C(1) << 32);
    const int64_t rounded = tinyc_shift_right(sum * factor + (INT64_C(1) << 31), 32);
    const int64_t twice = tinyc_shift_right(rounded - (rounded < 0), constants->shift) + constants->addend;
    return tinyc_saturated_s8(tinyc_shift_right(twice, 1));
}

/* Adds the products of one activation with a lane of each of a tile's two words. */
TINYC_INLINE void tinyc_paired_multiply(int32_t sums[4], const int32_t words[2], int32_t k, int32_t x)
{
    for (int32_t two = 0; two < 2; ++two) {
        const int32_t both = tinyc_paired_lane(words[two], k);
        sums[2 * two] = tinyc_wrapping_add(sums[2 * two], x * (int8_t)(uint8_t)((uint32_t)both & 0xffu));
        sums[2 * two + 1] = tinyc_wrapping_add(sums[2 * two + 1], x * both);
    }
}

/* A tile's sums to its four results. */
TINYC_INLINE void tinyc_paired_finish(
    const int32_t sums[4], int32_t away, const tinyc_paired_constants constants[4], int8_t out[4])
{
    for (int32_t k = 0; k < 4; ++k) {
        int32_t sum = sums[k];
        if ((k & 1) != 0) {
            sum = (int32_t)tinyc_shift_right((int32_t)((uint32_t)sum - (uint32_t)sums[k - 1]), 8);
        }
        out[k] = tinyc_paired_requantize(sum, away, &constants[k]);
    }
}

#endif /* TINYC_PAIRED_NUMBERS_H */
