/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"
#include "tinyc_requantize.h"

/* a * b / 2^32, rounded half upwards. */
TINYC_INLINE int32_t high_mult(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}

/* value / 2^exponent, rounded half away from zero, for an exponent >= 1. */
TINYC_INLINE int32_t divide(int32_t value, int32_t exponent, int32_t half)
{
    return (value + (value >> 31) + half) >> exponent;
}

TINYC_FN(add_s8)
void tinyc_add_s8(const tinyc_add_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count)
{
    const tinyc_add_s8_params p = *params;
    const int32_t b_half = (int32_t)1 << (p.b_right - 1);
    const int32_t out_half = (int32_t)1 << (p.out_right - 1);
    for (int32_t i = 0; i < count; i++) {
        const int32_t y = divide(high_mult((b[i] + p.b_offset) * p.b_scale, p.b_mult), p.b_right, b_half);
        const int32_t twice_sum = a[i] * p.a_scale + p.a_term + 2 * y;
        const int32_t result = divide(high_mult(twice_sum, p.out_mult), p.out_right, out_half) + p.out_offset;
        out[i] = (int8_t)tinyc_clamp_s32(result, p.out_min, p.out_max);
    }
}
