/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_normalization.h"

#include <math.h>
#include <stddef.h>

TINYC_FN(rms_norm_f32)
void tinyc_rms_norm_f32(
    const float *x, const float *scale, float *y, int32_t rows, int32_t length, float epsilon)
{
    for (int32_t row = 0; row < rows; row++) {
        float squares = 0.0f;
        for (int32_t i = 0; i < length; i++) {
            squares += x[i] * x[i];
        }
        const float factor = 1.0f / sqrtf(squares / (float)length + epsilon);
        for (int32_t i = 0; i < length; i++) {
            const float value = x[i] * factor;
            y[i] = scale != NULL ? value * scale[i] : value;
        }
        x += length;
        y += length;
    }
}
