/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of paired_tiles_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_paired_dsp.h"
#include "tinyc_paired_numbers.h"

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
            for (int32_t k = 0; k < 2 * filters->steps; ++k) {
                const int32_t x = pair[4 * (k >> 1) + 2 * pixel + (k & 1)];
                tinyc_paired_multiply(sums, weights + (k & ~1), k & 1, x);
            }
            tinyc_paired_finish(sums, filters->away, constants, 3, out[pixel] + at);
        }
        next = constants + 12;
        at += 4 + (int32_t)tinyc_shift_right(next[-1], 8);
    }
}
