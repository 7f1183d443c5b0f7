/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s8.h"

TINYC_FN(dequantize_s32_f32)
void tinyc_dequantize_s32_f32(const int32_t *in, float *out, int32_t count, float scale)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = (float)in[i] * scale;
    }
}
