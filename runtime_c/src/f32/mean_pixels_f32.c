/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

#include "tinyc_dot_f32.h"

TINYC_FN(mean_pixels_f32)
void tinyc_mean_pixels_f32(const float *in, float *out, int32_t pixels, int32_t channels, float min, float max)
{
    for (int32_t c = 0; c < channels; c++) {
        float sum = 0.0f;
        for (int32_t i = 0; i < pixels; i++) {
            sum += in[i * channels + c];
        }
        out[c] = tinyc_clamp_f32(sum / (float)pixels, min, max);
    }
}
