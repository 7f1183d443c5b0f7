/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s8.h"

TINYC_FN(dequantize_s16_f32)
void tinyc_dequantize_s16_f32(const int16_t *in, float *out, int32_t count, float scale, int32_t zero_point)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = (float)(in[i] - zero_point) * scale;
    }
}
