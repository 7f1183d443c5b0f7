/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_quantize.h"
#include "tinyc_s8.h"

TINYC_FN(quantize_f32_s16)
void tinyc_quantize_f32_s16(const float *in, int16_t *out, int32_t count, float scale, int32_t zero_point)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = (int16_t)tinyc_quantize(in[i], scale, zero_point, INT16_MIN, INT16_MAX);
    }
}
