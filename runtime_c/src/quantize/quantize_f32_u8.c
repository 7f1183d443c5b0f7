/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_quantize.h"
#include "tinyc_s8.h"

TINYC_FN(quantize_f32_u8)
void tinyc_quantize_f32_u8(const float *in, uint8_t *out, int32_t count, float scale, int32_t zero_point)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = (uint8_t)tinyc_quantize(in[i], scale, zero_point, 0, UINT8_MAX);
    }
}
