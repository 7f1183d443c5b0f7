/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_classical.h"

#include <math.h>

#define MAX_ROUNDS 100

/* Fills q [classes][classes] from one row of scores. r(i, j), the probability of class i rather than j, is kept at
 * q[i * classes + j] until all are known. */
static void fill_matrix(const float *scores, const float *a, const float *b, float *q, int32_t classes)
{
    const float least = 1.0e-7f;
    for (int32_t i = 0; i < classes; i++) {
        for (int32_t j = i + 1; j < classes; j++) {
            float r = 1.0f / (1.0f + expf(*scores++ * *a++ + *b++));
            r = r < least ? least : r > 1.0f - least ? 1.0f - least : r;
            q[i * classes + j] = r;
            q[j * classes + i] = 1.0f - r;
        }
    }
    for (int32_t i = 0; i < classes; i++) {
        float sum = 0.0f;
        for (int32_t j = 0; j < classes; j++) {
            if (j != i) {
                sum += q[j * classes + i] * q[j * classes + i];
            }
        }
        q[i * classes + i] = sum;
    }
    for (int32_t i = 0; i < classes; i++) {
        for (int32_t j = i + 1; j < classes; j++) {
            const float product = -q[i * classes + j] * q[j * classes + i];
            q[i * classes + j] = product;
            q[j * classes + i] = product;
        }
    }
}

/* qp = q * p; returns p * qp, and in *error how far qp is from it. */
static float residual(const float *q, const float *p, float *qp, int32_t classes, float *error)
{
    float total = 0.0f;
    for (int32_t i = 0; i < classes; i++) {
        qp[i] = 0.0f;
        for (int32_t j = 0; j < classes; j++) {
            qp[i] += q[i * classes + j] * p[j];
        }
        total += p[i] * qp[i];
    }
    *error = 0.0f;
    for (int32_t i = 0; i < classes; i++) {
        const float own = fabsf(qp[i] - total);
        *error = own > *error ? own : *error;
    }
    return total;
}

TINYC_FN(pair_probabilities_f32)
void tinyc_pair_probabilities_f32(const float *scores,
                                  const float *a,
                                  const float *b,
                                  float *out,
                                  float *scratch,
                                  int32_t rows,
                                  int32_t classes)
{
    float *const q = scratch;
    float *const qp = scratch + classes * classes;
    const float enough = 0.005f / (float)classes;
    for (int32_t row = 0; row < rows; row++) {
        float *const p = out + row * classes;
        fill_matrix(scores + row * (classes * (classes - 1) / 2), a, b, q, classes);
        for (int32_t i = 0; i < classes; i++) {
            p[i] = 1.0f / (float)classes;
        }
        for (int32_t round = 0; round < MAX_ROUNDS; round++) {
            float error;
            float total = residual(q, p, qp, classes, &error);
            if (error < enough) {
                break;
            }
            for (int32_t i = 0; i < classes; i++) {
                const float diagonal = q[i * classes + i];
                const float step = (total - qp[i]) / diagonal;
                const float scale = 1.0f + step;
                p[i] += step;
                total = (total + step * (step * diagonal + 2.0f * qp[i])) / scale / scale;
                for (int32_t j = 0; j < classes; j++) {
                    qp[j] = (qp[j] + step * q[i * classes + j]) / scale;
                    p[j] /= scale;
                }
            }
        }
    }
}
