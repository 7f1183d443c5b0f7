/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_s8.h"

TINYC_FN(dot_4_rows_s8)
void tinyc_dot_4_rows_s8(int32_t acc[4], const int8_t *x, const int8_t *weights, int32_t depth)
{
    const int8_t *second = weights + depth, *third = second + depth, *fourth = third + depth;
    int32_t a = acc[0], b = acc[1], c = acc[2], d = acc[3];
    for (int32_t k = 0; k < depth; k++) {
        const int32_t value = x[k];
        a += value * weights[k];
        b += value * second[k];
        c += value * third[k];
        d += value * fourth[k];
    }
    acc[0] = a;
    acc[1] = b;
    acc[2] = c;
    acc[3] = d;
}
