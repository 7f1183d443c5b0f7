/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_expand_filters_f32.h"

TINYC_FN(expand_filters_f32)
void tinyc_expand_filters_f32(const int8_t *in,
                              const float *scales,
                              const int8_t *zeros,
                              float *out,
                              int32_t outer,
                              int32_t channels,
                              int32_t inner)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t channel = 0; channel < channels; channel++) {
            const float scale = scales[channel];
            const int32_t zero = zeros ? zeros[channel] : 0;
            for (int32_t i = 0; i < inner; i++) {
                *out++ = (float)(*in++ - zero) * scale;
            }
        }
    }
}
