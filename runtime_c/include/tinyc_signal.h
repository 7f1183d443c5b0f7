/* SPDX-License-Identifier: Apache-2.0
 *
 * Fourier transforms.
 */
#ifndef TINYC_SIGNAL_H
#define TINYC_SIGNAL_H

#include <stdint.h>

#include "tinyc_runtime.h"

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_fft_f32 tinyc1_fft_f32
#define tinyc_fft_mixed_f32 tinyc1_fft_mixed_f32
#define tinyc_rfft_f32 tinyc1_rfft_f32
#define tinyc_rfft_mixed_f32 tinyc1_rfft_mixed_f32

#ifdef __cplusplus
extern "C" {
#endif

/* The transform of `length` complex numbers (a power of two, at least 2), number k at re[2 * k], im[2 * k]. With re and
 * im exchanged it is the inverse, but for the factor 1 / length. sine[k] = sin(2 pi k / (length * step)) for a whole
 * circle of length * step, a multiple of 4. */
void tinyc_fft_f32(float *re, float *im, const float *sine, int32_t length, int32_t step);

/* The transform in data of `length` complex numbers, real and imaginary parts in turn; `length` is a product of 2, 3 and
 * 5. work has room for as many. turns: cos and sin of 2 pi k / (length * step), k < length * step. With real and
 * imaginary parts exchanged in data it is the inverse, but for the factor 1 / length. */
void tinyc_fft_mixed_f32(float *data, float *work, const float *turns, int32_t length, int32_t step);

/* The transform of `length` real numbers (a power of two, at least 4): numbers 0 .. length / 2 of the result, complex,
 * so that data has room for length + 2. sine[k] = sin(2 pi k / length), k < length. */
void tinyc_rfft_f32(float *data, const float *sine, int32_t length);

/* The same for an even length that is a product of 2, 3 and 5; work has room for `length`, turns are cos and sin of
 * 2 pi k / length, k < length. */
void tinyc_rfft_mixed_f32(float *data, float *work, const float *turns, int32_t length);

#ifdef __cplusplus
}
#endif

#endif
