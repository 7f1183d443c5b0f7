/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"
#include "tinyc_requantize.h"

TINYC_FN(mul_s8)
void tinyc_mul_s8(const tinyc_mul_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count)
{
    const tinyc_mul_s8_params p = *params;
    const int32_t half = (int32_t)1 << (p.right - 1);
    for (int32_t i = 0; i < count; i++) {
        const int32_t product = (a[i] + p.a_offset) * (b[i] + p.b_offset);
        const int32_t high = tinyc_doubling_high_mult(product, p.mult);
        const int32_t result = ((high + (high >> 31) + half) >> p.right) + p.out_offset;
        out[i] = (int8_t)tinyc_clamp_s32(result, p.out_min, p.out_max);
    }
}
