/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"
#include "tinyc_pack_s8_dsp.h"
#include "tinyc_requantize.h"
#include "tinyc_instructions_dsp.h"

/* The correction for negative quotients takes its sign from the dividend: a quotient of zero stays zero anyway. */
TINYC_INLINE int32_t mul(int32_t a, int32_t b, int32_t mult, int32_t half, int32_t right)
{
    const int32_t product = a * b;
    return (tinyc_smmlar(product, mult, half) + (product >> 31)) >> right;
}

TINYC_FN(mul_s8)
void tinyc_mul_s8(const tinyc_mul_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count)
{
    const int32_t mult = params->mult, right = params->right;
    const int32_t half = params->out_offset * ((int32_t)1 << right) + ((int32_t)1 << (right - 1));
    const int32_t a_offset = params->a_offset;
    const int32_t b_term = 2 * params->b_offset; /* SMMLAR wants twice the product */
    const int8x4_t lowest = tinyc_splat_s8x4(params->out_min);
    const int8x4_t highest = tinyc_splat_s8x4(params->out_max);
    for (; count >= 4; count -= 4) {
        const int32_t r0 = mul(a[0] + a_offset, b_term + 2 * b[0], mult, half, right);
        const int32_t r1 = mul(a[1] + a_offset, b_term + 2 * b[1], mult, half, right);
        const int32_t r2 = mul(a[2] + a_offset, b_term + 2 * b[2], mult, half, right);
        const int32_t r3 = mul(a[3] + a_offset, b_term + 2 * b[3], mult, half, right);
        tinyc_write_s8x4(out, tinyc_limit_s8x4(tinyc_pack_s8x4(r0, r1, r2, r3), lowest, highest));
        a += 4;
        b += 4;
        out += 4;
    }
    for (; count > 0; count--) {
        const int32_t result = mul(*a++ + a_offset, b_term + 2 * *b++, mult, half, right);
        *out++ = (int8_t)tinyc_clamp_s32(result, params->out_min, params->out_max);
    }
}
