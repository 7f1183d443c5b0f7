/* SPDX-License-Identifier: Apache-2.0
 *
 * Register tiles of dot products: four weight rows against one or two input rows. Eight accumulators, four weights
 * and two inputs are fourteen values, which single-precision FPUs with 32 registers hold without spilling.
 */
#ifndef TINYC_DOT_F32_H
#define TINYC_DOT_F32_H

#include <stdint.h>

typedef struct {
    float sum[4];
} tinyc_dot4;

static inline float tinyc_clamp_f32(float value, float min, float max)
{
    value = value < min ? min : value;
    return value > max ? max : value;
}

/* acc[i] += sum over n of x[n] * w[i][n] */
static inline tinyc_dot4 tinyc_dot4x1(tinyc_dot4 acc, const float *x, const float *const w[4], int32_t n)
{
    const float *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];
    float a0 = acc.sum[0], a1 = acc.sum[1], a2 = acc.sum[2], a3 = acc.sum[3];
    for (int32_t i = 0; i < n; i++) {
        const float v = x[i];
        a0 += v * w0[i];
        a1 += v * w1[i];
        a2 += v * w2[i];
        a3 += v * w3[i];
    }
    return (tinyc_dot4){{a0, a1, a2, a3}};
}

/* The same for two input rows at once, acc[0] for x0 and acc[1] for x1. */
static inline void tinyc_dot4x2(tinyc_dot4 acc[2], const float *x0, const float *x1, const float *const w[4], int32_t n)
{
    const float *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];
    float a0 = acc[0].sum[0], a1 = acc[0].sum[1], a2 = acc[0].sum[2], a3 = acc[0].sum[3];
    float b0 = acc[1].sum[0], b1 = acc[1].sum[1], b2 = acc[1].sum[2], b3 = acc[1].sum[3];
    for (int32_t i = 0; i < n; i++) {
        const float v = x0[i], u = x1[i];
        float k = w0[i];
        a0 += v * k;
        b0 += u * k;
        k = w1[i];
        a1 += v * k;
        b1 += u * k;
        k = w2[i];
        a2 += v * k;
        b2 += u * k;
        k = w3[i];
        a3 += v * k;
        b3 += u * k;
    }
    acc[0] = (tinyc_dot4){{a0, a1, a2, a3}};
    acc[1] = (tinyc_dot4){{b0, b1, b2, b3}};
}

/* Rows first .. first + 3 of a matrix with `rows` rows; a row that does not exist repeats the last one, so that a
 * tile at the edge reads valid memory and its surplus results are dropped. */
static inline void tinyc_dot4_rows(const float *w[4], const float *matrix, int32_t row_length, int32_t first, int32_t rows)
{
    for (int32_t i = 0; i < 4; i++) {
        const int32_t row = first + i < rows ? first + i : rows - 1;
        w[i] = matrix + (row * row_length);
    }
}

static inline tinyc_dot4 tinyc_dot4_bias(const float *bias, int32_t first, int32_t rows)
{
    tinyc_dot4 acc = {{0.0f, 0.0f, 0.0f, 0.0f}};
    for (int32_t i = 0; bias && i < 4 && first + i < rows; i++) {
        acc.sum[i] = bias[first + i];
    }
    return acc;
}

static inline void tinyc_dot4_store(float *out, tinyc_dot4 acc, int32_t count, float min, float max)
{
    for (int32_t i = 0; i < 4 && i < count; i++) {
        out[i] = tinyc_clamp_f32(acc.sum[i], min, max);
    }
}

#endif
