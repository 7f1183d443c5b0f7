/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_s8.h"

#include "tinyc_dot_rows_dsp.h"

TINYC_FN(dot_4_rows_s8)
void tinyc_dot_4_rows_s8(int32_t acc[4], const int8_t *x, const int8_t *weights, int32_t depth)
{
    tinyc_dot_4_rows_dsp(acc, x, weights, depth, 0);
}
