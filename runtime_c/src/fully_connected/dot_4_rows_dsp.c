/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of dot_4_rows_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_dot_rows_dsp.h"
#include "tinyc_runtime.h"

TINYC_FN(dot_4_rows_dsp)
void tinyc_dot_4_rows_dsp(
    int32_t acc[4], const int8_t *x, const int8_t *weights, int32_t depth, int32_t lhs_offset)
{
    for (int32_t row = 0; row < 4; ++row) {
        for (int32_t k = 0; k < depth; ++k) {
            acc[row] += (x[k] + lhs_offset) * *weights++;
        }
    }
}
