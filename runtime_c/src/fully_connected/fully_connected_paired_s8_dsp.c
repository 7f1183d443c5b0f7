/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of fully_connected_paired_s8_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_paired_numbers.h"

TINYC_FN(fully_connected_paired_s8)
void tinyc_fully_connected_paired_s8(const tinyc_paired_filters *filters, const int8_t *in, int8_t *out)
{
    const int32_t *next = filters->tiles;
    const int32_t *from = next + filters->count * (4 + 2 * filters->steps);
    const int32_t constant_step = filters->constant_step / (int32_t)sizeof *from;
    for (int32_t tile = 0; tile < filters->count; ++tile) {
        const int32_t *const weights = next + 4;
        int32_t sums[4] = {next[0], next[1], next[2], next[3]};
        for (int32_t k = 0; k < 2 * filters->steps; ++k) {
            /* Of four weights, a step has the first and the third, the next one the second and the fourth. */
            const int32_t at = (k & ~3) + 2 * (k & 1) + ((k >> 1) & 1);
            tinyc_paired_multiply(sums, weights + (k & ~1), k & 1, in[at]);
        }
        tinyc_paired_constants constants[4];
        for (int32_t k = 0; k < 4; ++k, from += constant_step) {
            constants[k] = (tinyc_paired_constants){from[0], from[1], from[2]};
        }
        tinyc_paired_finish(sums, filters->away, constants, out);
        next = weights + 2 * filters->steps;
        out += 4 - (tile == 0 ? filters->repeated : 0);
    }
}
