/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalization of rows.
 */
#ifndef TINYC_NORMALIZATION_H
#define TINYC_NORMALIZATION_H

#include <stdint.h>

#include "tinyc_runtime.h"

#define tinyc_layer_norm_f32 tinyc1_layer_norm_f32
#define tinyc_rms_norm_f32 tinyc1_rms_norm_f32

#ifdef __cplusplus
extern "C" {
#endif

/* y[row] = (x[row] - mean) / sqrt(variance + epsilon) * scale + shift, for rows of `length` elements; y may be x, or
 * begin before it. scale, shift [length] or NULL; mean, deviation [rows] receive the mean and 1 / sqrt(...), or NULL. */
void tinyc_layer_norm_f32(const float *x,
                          const float *scale,
                          const float *shift,
                          float *y,
                          float *mean,
                          float *deviation,
                          int32_t rows,
                          int32_t length,
                          float epsilon);

/* y[row] = x[row] / sqrt(mean of squares + epsilon) * scale; the rest as above. */
void tinyc_rms_norm_f32(
    const float *x, const float *scale, float *y, int32_t rows, int32_t length, float epsilon);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_NORMALIZATION_H */
