/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of fully_connected_paired_8_s8_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_paired_numbers.h"

TINYC_FN(fully_connected_paired_8_s8)
void tinyc_fully_connected_paired_8_s8(const tinyc_paired_filters *filters, const int8_t *in, int8_t *out)
{
    const int32_t *next = filters->tiles;
    const int32_t *const last = next + filters->count * (8 + 4 * filters->steps);
    const tinyc_paired_constants one = {last[0], last[1], last[2]};
    const tinyc_paired_constants constants[4] = {one, one, one, one};
    for (; next != last; next += 8 + 4 * filters->steps) {
        for (int32_t half = 0; half < 2; ++half) {
            const int32_t *const first = next + 4 * half;
            const int32_t *const weights = next + 8 + 2 * half;
            int32_t sums[4] = {first[0], first[1], first[2], first[3]};
            for (int32_t k = 0; k < 2 * filters->steps; ++k) {
                /* Of four weights, a step has the first and the third, the next one the second and the fourth. */
                const int32_t at = (k & ~3) + 2 * (k & 1) + ((k >> 1) & 1);
                tinyc_paired_multiply(sums, weights + 4 * (k >> 1), k & 1, in[at]);
            }
            tinyc_paired_finish(sums, filters->away, constants, out);
            out += 4;
        }
    }
}
