/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of paired_tiles_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_paired_dsp.h"

static int32_t lane(int32_t word, int32_t k)
{
    return (int16_t)(uint16_t)((uint32_t)word >> (16 * k));
}

static int32_t wrapping_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

/* Rounded down; negative numbers are shifted as their complements. */
static int64_t shift_right(int64_t value, int32_t bits)
{
    return value >= 0 ? value >> bits : ~(~value >> bits);
}

static int8_t saturate(int64_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

static int8_t requantize(int32_t sum, int32_t away, const int32_t constants[3])
{
    const int32_t shift = constants[2] & 0xff;
    if (!away) {
        const int64_t product = shift_right(INT64_C(256) * sum * constants[0], 32);
        return saturate(shift_right(product + constants[1], shift));
    }
    const int64_t factor = constants[0] + (INT64_C(1) << 32);
    const int64_t rounded = shift_right(sum * factor + (INT64_C(1) << 31), 32);
    return saturate(shift_right(rounded - (rounded < 0) + constants[1], shift));
}

TINYC_FN(paired_tiles_dsp)
void tinyc_paired_tiles_dsp(const tinyc_paired_filters *filters, const int16_t *pair, int8_t *out0, int8_t *out1)
{
    int8_t *const out[2] = {out0, out1};
    const int32_t *next = filters->tiles;
    int32_t at = 0;
    for (int32_t tile = 0; tile < filters->count; ++tile) {
        const int32_t *const weights = next + 4;
        const int32_t *const constants = weights + 2 * filters->steps;
        for (int32_t pixel = 1; pixel >= 0; --pixel) {
            int32_t sums[4] = {next[0], next[1], next[2], next[3]};
            for (int32_t step = 0; step < filters->steps; ++step) {
                for (int32_t k = 0; k < 2; ++k) {
                    const int32_t x = pair[4 * step + 2 * pixel + k];
                    for (int32_t two = 0; two < 2; ++two) {
                        const int32_t both = lane(weights[2 * step + two], k);
                        sums[2 * two] = wrapping_add(sums[2 * two], x * (int8_t)(uint8_t)((uint32_t)both & 0xffu));
                        sums[2 * two + 1] = wrapping_add(sums[2 * two + 1], x * both);
                    }
                }
            }
            for (int32_t k = 0; k < 4; ++k) {
                int32_t sum = sums[k];
                if ((k & 1) != 0) {
                    sum = (int32_t)shift_right((int32_t)((uint32_t)sum - (uint32_t)sums[k - 1]), 8);
                }
                out[pixel][at + k] = requantize(sum, filters->away, constants + 3 * k);
            }
        }
        next = constants + 12;
        at += 4 + (int32_t)shift_right(next[-1], 8);
    }
}
