/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s8.h"

TINYC_FN(lut_s8)
void tinyc_lut_s8(const int8_t *in, int8_t *out, int32_t count, const int8_t *table)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = table[in[i] + 128];
    }
}
