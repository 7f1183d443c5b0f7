/* SPDX-License-Identifier: Apache-2.0 */
/* What the recurrent layers are made of, in single precision. Included by their source files only. */
#ifndef TINYC_RECURRENT_F32_H
#define TINYC_RECURRENT_F32_H

#include "tinyc_activation_f32.h"
#include "tinyc_dot_f32.h"
#include "tinyc_recurrent.h"

#include <math.h>
#include <string.h>

#define REAL float
#define NAME(name) tinyc_##name##_f32

/* sums[i] += row first[i] of a matrix * x */
TINYC_INLINE void tinyc_rows_f32(float sums[4], const float *matrix, int32_t depth, const int32_t first[4], const float *x)
{
    const tinyc_dot_shape shape = {.rows = 1, .runs = 1, .run_length = depth};
    tinyc_dot_tile tile;
    for (int32_t i = 0; i < 4; i++) {
        tile.weights[i] = matrix + first[i] * depth;
        tile.sums[i] = sums[i];
    }
    tinyc_dot4x1_f32(&tile, &shape, x);
    for (int32_t i = 0; i < 4; i++) {
        sums[i] = tile.sums[i];
    }
}

#ifdef TINYC_ANY_ACTIVATION

TINYC_INLINE float tinyc_activate(const tinyc_activation *a, float clip, float value)
{
    const float x = value > clip ? clip : value < -clip ? -clip : value;
    switch (a->kind) {
    case TINYC_RELU:
        return x > 0.0f ? x : 0.0f;
    case TINYC_TANH:
        return tinyc_tanh_f32(x);
    case TINYC_SIGMOID:
        return tinyc_sigmoid_f32(x);
    case TINYC_AFFINE:
        return a->alpha * x + a->beta;
    case TINYC_LEAKY_RELU:
        return x < 0.0f ? a->alpha * x : x;
    case TINYC_THRESHOLDED_RELU:
        return x > a->alpha ? x : 0.0f;
    case TINYC_SCALED_TANH:
        return a->alpha * tinyc_tanh_f32(a->beta * x);
    case TINYC_HARD_SIGMOID:
        return fminf(fmaxf(a->alpha * x + a->beta, 0.0f), 1.0f);
    case TINYC_ELU:
        return x < 0.0f ? a->alpha * expm1f(x) : x;
    case TINYC_SOFTSIGN:
        return x / (1.0f + fabsf(x));
    default: /* softplus */
        return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
    }
}

#define ACTIVATE(which, usual, x) tinyc_activate(&params->which, params->clip, x)
#define UNCLIPPED(which, usual, x) tinyc_activate(&params->which, INFINITY, x)

#else

#define ACTIVATE(which, usual, x) usual(x)
#define UNCLIPPED(which, usual, x) usual(x)

#endif

#endif /* TINYC_RECURRENT_F32_H */
