/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_fast_requantize_dsp.h"
#include "tinyc_pack_s8_dsp.h"
#include "tinyc_requantize.h"
#include "tinyc_s8.h"

static void limit(int8_t *values, int32_t count, int32_t lowest, int32_t highest)
{
    const int8x4_t low = tinyc_splat_s8x4(lowest);
    const int8x4_t high = tinyc_splat_s8x4(highest);
    for (; count >= 4; count -= 4) {
        tinyc_write_s8x4(values, tinyc_limit_s8x4(tinyc_read_s8x4(values), low, high));
        values += 4;
    }
    for (; count > 0; --count, ++values) {
        *values = (int8_t)tinyc_clamp_s32(*values, lowest, highest);
    }
}

TINYC_FN(add_table_s8)
void tinyc_add_table_s8(const tinyc_add_table_s8_params *params, const int8_t *a, const int8_t *b,
    const int32_t *table, int8_t *out, int32_t count)
{
    const int32_t multiplier = params->multiplier;
    const int32_t right = params->right;
    const int32_t half = tinyc_fast_requantize_half(params->zero_point, right);
    int8_t *const first = out;
    const int8_t *const end = a + (count & ~3);
    table += 128;
    while (a != end) {
        int32_t sum0 = table[b[0]] + a[0] * TINYC_ADD_SCALE;
        int32_t sum1 = table[b[1]] + a[1] * TINYC_ADD_SCALE;
        int32_t sum2 = table[b[2]] + a[2] * TINYC_ADD_SCALE;
        int32_t sum3 = table[b[3]] + a[3] * TINYC_ADD_SCALE;
        sum0 = tinyc_fast_requantize(sum0, multiplier, half, right);
        sum1 = tinyc_fast_requantize(sum1, multiplier, half, right);
        sum2 = tinyc_fast_requantize(sum2, multiplier, half, right);
        sum3 = tinyc_fast_requantize(sum3, multiplier, half, right);
        out[0] = (int8_t)sum0;
        out[1] = (int8_t)sum1;
        out[2] = (int8_t)sum2;
        out[3] = (int8_t)sum3;
        a += 4;
        b += 4;
        out += 4;
    }
    for (int32_t left = count & 3; left > 0; --left) {
        const int32_t sum = table[*b++] + *a++ * TINYC_ADD_SCALE;
        *out++ = (int8_t)tinyc_fast_requantize(sum, multiplier, half, right);
    }
    if (params->lowest > INT8_MIN || params->highest < INT8_MAX) {
        limit(first, count, params->lowest, params->highest);
    }
}
