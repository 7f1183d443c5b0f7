/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_normalization.h"

#include <math.h>
#include <stddef.h>

TINYC_FN(layer_norm_f32)
void tinyc_layer_norm_f32(const float *x,
                          const float *scale,
                          const float *shift,
                          float *y,
                          float *mean,
                          float *deviation,
                          int32_t rows,
                          int32_t length,
                          float epsilon)
{
    for (int32_t row = 0; row < rows; row++) {
        float sum = 0.0f, squares = 0.0f;
        for (int32_t i = 0; i < length; i++) {
            sum += x[i];
        }
        const float middle = sum / (float)length;
        for (int32_t i = 0; i < length; i++) {
            const float off = x[i] - middle;
            squares += off * off;
        }
        const float factor = 1.0f / sqrtf(squares / (float)length + epsilon);
        for (int32_t i = 0; i < length; i++) {
            float value = (x[i] - middle) * factor;
            value = scale != NULL ? value * scale[i] : value;
            y[i] = shift != NULL ? value + shift[i] : value;
        }
        if (mean != NULL) {
            mean[row] = middle;
        }
        if (deviation != NULL) {
            deviation[row] = factor;
        }
        x += length;
        y += length;
    }
}
