/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_requantize.h"
#include "tinyc_s8.h"

TINYC_FN(add_table_s8)
void tinyc_add_table_s8(const tinyc_add_table_s8_params *params, const int8_t *a, const int8_t *b,
    const int32_t *table, int8_t *out, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        const int32_t twice_sum = table[b[i] + 128] + a[i] * TINYC_ADD_SCALE;
        out[i] = tinyc_requantize_to_s8(twice_sum / 2, params->multiplier, -params->right, params->zero_point,
            params->lowest, params->highest);
    }
}
