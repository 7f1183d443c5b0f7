/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_requantize.h"
#include "tinyc_s8.h"

TINYC_FN(requantize_s8)
void tinyc_requantize_s8(const int8_t *in, int8_t *out, int32_t count, int32_t in_zero_point, int32_t out_zero_point,
    int32_t multiplier, int32_t shift, int32_t min, int32_t max)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = tinyc_requantize_to_s8(in[i] - in_zero_point, multiplier, shift, out_zero_point, min, max);
    }
}
