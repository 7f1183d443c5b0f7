/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of dot_pair_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_pair_dsp.h"

TINYC_FN(dot_pair_dsp)
void tinyc_dot_pair_dsp(
    int32_t acc[4], const int16_t *pair, const int8_t *weights, int32_t second_row, int32_t groups)
{
    for (int32_t k = 0; k < 4 * groups; ++k) {
        const int32_t x0 = pair[tinyc_pair_index(k)];
        const int32_t x1 = pair[tinyc_pair_index(k) + 4];
        acc[0] += x0 * weights[k];
        acc[1] += x0 * weights[k + second_row];
        acc[2] += x1 * weights[k];
        acc[3] += x1 * weights[k + second_row];
    }
}
