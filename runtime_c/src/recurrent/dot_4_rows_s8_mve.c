/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_s8.h"

#include "tinyc_dot_rows_mve.h"

TINYC_FN(dot_4_rows_s8)
void tinyc_dot_4_rows_s8(int32_t acc[4], const int8_t *x, const int8_t *weights, int32_t depth)
{
    int32_t sums[4];
    (void)tinyc_dot_4_rows_mve(sums, weights, depth, x, depth);
    for (int32_t i = 0; i < 4; i++) {
        acc[i] += sums[i];
    }
}
