/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of winograd_tiles_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_paired_numbers.h"
#include "tinyc_winograd_dsp.h"

static int32_t wrapped(uint32_t value)
{
    return (int32_t)value;
}

/* Sums of one filter and one tile at all positions; weights: its word of the first step. */
static void multiply(const int32_t *weights, const int16_t *values, int32_t steps, int32_t first, uint32_t sums[16])
{
    for (int32_t position = 0; position < 16; ++position) {
        int32_t sum = position == 0 ? first : 0;
        for (int32_t step = 0; step < steps; ++step) {
            const int32_t word = weights[4 * (position * steps + step)];
            const int16_t *const x = values + 4 * (16 * step + position);
            sum = tinyc_wrapping_add(sum, tinyc_paired_lane(word, 0) * x[0]);
            sum = tinyc_wrapping_add(sum, tinyc_paired_lane(word, 1) * x[1]);
        }
        sums[position] = (uint32_t)sum;
    }
}

/* Four times the results along one axis, from sums that lie `step` apart. */
static void along_axis(const uint32_t *m, int32_t step, uint32_t results[2])
{
    results[0] = m[0] + m[step] + m[2 * step];
    results[1] = m[0] - m[step] + m[3 * step];
}

static int8_t requantize(int32_t sum, int32_t away, const int32_t words[3])
{
    const tinyc_paired_constants constants = {words[0], words[1], words[2]};
    if (away != 0) {
        return tinyc_paired_requantize((int32_t)tinyc_shift_right(sum, 2), away, &constants);
    }
    const int64_t product = tinyc_shift_right((int64_t)sum * constants.multiplier, 32);
    return tinyc_saturated_s8(tinyc_shift_right(product + constants.addend, constants.shift));
}

TINYC_FN(winograd_tiles_dsp)
void tinyc_winograd_tiles_dsp(const tinyc_paired_filters *filters, const int16_t *values, int8_t *out0, int8_t *out1,
    int32_t pixel, int32_t row)
{
    int8_t *const out[2] = {out0, out1};
    const int32_t *next = filters->tiles;
    int32_t at = 0;
    for (int32_t count = 0; count < filters->count; ++count) {
        const int32_t *const weights = next + 4;
        const int32_t *const constants = weights + 64 * filters->steps;
        for (int32_t k = 0; k < 8; ++k) {
            const int32_t filter = k >> 1;
            int8_t *const to = out[k & 1] + at + filter;
            uint32_t sums[16];
            multiply(weights + filter, values + 2 * (k & 1), filters->steps, next[filter], sums);
            uint32_t down[4][2];
            for (int32_t column = 0; column < 4; ++column) {
                along_axis(sums + 4 * column, 1, down[column]);
            }
            for (int32_t y = 0; y < 2; ++y) {
                uint32_t results[2];
                along_axis(&down[0][y], 2, results);
                for (int32_t x = 0; x < 2; ++x) {
                    to[y * row + x * pixel] = requantize(wrapped(results[x]), filters->away, constants + 3 * filter);
                }
            }
        }
        next = constants + 12;
        at += 4 - (count == 0 ? filters->repeated : 0);
    }
}
