/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of paired_tiles_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_paired_dsp.h"
#include "tinyc_paired_numbers.h"

/* Reads a tile's requantization, and returns its end. */
static const int32_t *read_constants(const int32_t *from, int32_t away, tinyc_paired_constants constants[4])
{
    for (int32_t k = 0; k < 4; ++k) {
        if (away == 0) {
            constants[k] = (tinyc_paired_constants){from[3 * k], from[3 * k + 1], from[3 * k + 2]};
        } else {
            constants[k] = (tinyc_paired_constants){from[k], away, (from[4] >> (8 * k)) & 0xff};
        }
    }
    return from + (away == 0 ? 12 : 5);
}

TINYC_FN(paired_tiles_dsp)
void tinyc_paired_tiles_dsp(const tinyc_paired_filters *filters, const int16_t *pair, int8_t *out0, int8_t *out1)
{
    int8_t *const out[2] = {out0, out1};
    const int32_t *next = filters->tiles;
    int32_t at = 0;
    for (int32_t tile = 0; tile < filters->count; ++tile) {
        const int32_t *const first = next;
        const int32_t *const weights = first + 4;
        tinyc_paired_constants constants[4];
        next = read_constants(weights + 2 * filters->steps, filters->away, constants);
        for (int32_t pixel = 1; pixel >= 0; --pixel) {
            int32_t sums[4] = {first[0], first[1], first[2], first[3]};
            for (int32_t k = 0; k < 2 * filters->steps; ++k) {
                const int32_t x = pair[4 * (k >> 1) + 2 * pixel + (k & 1)];
                tinyc_paired_multiply(sums, weights + (k & ~1), k & 1, x);
            }
            tinyc_paired_finish(sums, filters->away, constants, out[pixel] + at);
        }
        at += 4 - (tile == 0 ? filters->repeated : 0);
    }
}
