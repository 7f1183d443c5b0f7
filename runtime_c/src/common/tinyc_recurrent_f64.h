/* SPDX-License-Identifier: Apache-2.0 */
/* What the recurrent layers are made of, in double precision. Included by their source files only. */
#ifndef TINYC_RECURRENT_F64_H
#define TINYC_RECURRENT_F64_H

#include "tinyc_recurrent.h"

#include <math.h>
#include <string.h>

#define REAL double
#define NAME(name) tinyc_##name##_f64

/* sums[i] += row first[i] of a matrix * x */
TINYC_INLINE void tinyc_rows_f64(
    double sums[4], const double *matrix, int32_t depth, const int32_t first[4], const double *x)
{
    for (int32_t i = 0; i < 4; i++) {
        for (int32_t k = 0; k < depth; k++) {
            sums[i] += matrix[first[i] * depth + k] * x[k];
        }
    }
}

TINYC_INLINE double tinyc_activate(const tinyc_activation *a, double clip, double value)
{
    const double x = value > clip ? clip : value < -clip ? -clip : value;
    const double alpha = (double)a->alpha, beta = (double)a->beta;
    switch (a->kind) {
    case TINYC_RELU:
        return x > 0.0 ? x : 0.0;
    case TINYC_TANH:
        return tanh(x);
    case TINYC_SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case TINYC_AFFINE:
        return alpha * x + beta;
    case TINYC_LEAKY_RELU:
        return x < 0.0 ? alpha * x : x;
    case TINYC_THRESHOLDED_RELU:
        return x > alpha ? x : 0.0;
    case TINYC_SCALED_TANH:
        return alpha * tanh(beta * x);
    case TINYC_HARD_SIGMOID:
        return fmin(fmax(alpha * x + beta, 0.0), 1.0);
    case TINYC_ELU:
        return x < 0.0 ? alpha * expm1(x) : x;
    case TINYC_SOFTSIGN:
        return x / (1.0 + fabs(x));
    default: /* softplus */
        return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
    }
}

#define ACTIVATE(which, usual, x) tinyc_activate(&params->which, (double)params->clip, x)
#define UNCLIPPED(which, usual, x) tinyc_activate(&params->which, (double)INFINITY, x)

#endif /* TINYC_RECURRENT_F64_H */
