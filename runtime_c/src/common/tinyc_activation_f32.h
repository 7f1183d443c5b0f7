/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exponential function, sigmoid and tanh in single precision: smaller and faster than the C library's, which
 * compute in double or set errno. Relative error of the exponential 2e-7, absolute error of the others 1e-7.
 */
#ifndef TINYC_ACTIVATION_F32_H
#define TINYC_ACTIVATION_F32_H

#include "tinyc_runtime.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* For x in (-87, 88]; half: 0.5 with the sign of x. */
TINYC_INLINE float tinyc_exp_within_f32(float x, float half)
{
    /* x = whole * ln 2 + rest with a rest of at most ln 2 / 2; ln 2 in two parts, so that the rest is exact */
    const int32_t whole = (int32_t)(x * 1.442695041f + half);
    const float rest = (x - (float)whole * 0.693359375f) + (float)whole * 2.12194440e-4f;
    float series = 1.0f / 720.0f;
    series = series * rest + 1.0f / 120.0f;
    series = series * rest + 1.0f / 24.0f;
    series = series * rest + 1.0f / 6.0f;
    series = series * rest + 0.5f;
    series = series * rest * rest + rest + 1.0f;
    const uint32_t bits = (uint32_t)(whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return series * power;
}

/* Results below 2^-126 are 0, from 88 on (1.6e38) INFINITY; NaN stays. */
TINYC_INLINE float tinyc_exp_f32(float x)
{
    if (!(x > -87.0f)) {
        return x <= -87.0f ? 0.0f : x;
    }
    return x > 88.0f ? INFINITY : tinyc_exp_within_f32(x, x < 0.0f ? -0.5f : 0.5f);
}

/* The same for x <= 0. */
TINYC_INLINE float tinyc_exp_of_negative_f32(float x)
{
    if (!(x > -87.0f)) {
        return x <= -87.0f ? 0.0f : x;
    }
    return tinyc_exp_within_f32(x, -0.5f);
}

TINYC_INLINE float tinyc_sigmoid_f32(float x)
{
    return 1.0f / (1.0f + tinyc_exp_f32(-x));
}

TINYC_INLINE float tinyc_tanh_f32(float x)
{
    if (fabsf(x) < 0.0625f) { /* the formula below would lose the last digits */
        const float square = x * x;
        return x + x * square * (square * (2.0f / 15.0f) - 1.0f / 3.0f);
    }
    return 1.0f - 2.0f / (1.0f + tinyc_exp_f32(2.0f * x));
}

#endif /* TINYC_ACTIVATION_F32_H */
