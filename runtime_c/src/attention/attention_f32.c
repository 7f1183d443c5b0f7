/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_attention.h"

#include "tinyc_activation_f32.h"
#include "tinyc_dot_f32.h"

#include <math.h>
#include <stddef.h>

#define REAL float
#define NUMBER float
#define LOAD(x) (x)
#define STORE(x) (x)
#define ROUND(x) (x)
#define EXP tinyc_exp_f32
#define TANH tinyc_tanh_f32
#define SCORES score_keys
#define MIX mix_values

/* The scaled products of a query with keys first .. end - 1. */
static void score_keys(
    const tinyc_attention_params *params, const float *q, const float *k, float *work, int32_t first, int32_t end)
{
    const tinyc_dot_shape shape = {.rows = 1, .runs = 1, .run_length = params->size};
    for (int32_t j = first; j < end; j += 4) {
        tinyc_dot_tile tile;
        tinyc_dot_start(&tile, k, params->k.row, NULL, j, end);
        tinyc_dot4x1_f32(&tile, &shape, q);
        for (int32_t i = 0; i < 4 && j + i < end; i++) {
            work[j + i] = tile.sums[i] * params->scale;
        }
    }
}

/* The values of keys first .. end - 1, weighted by work: four columns at a time. */
static void mix_values(
    const tinyc_attention_params *params, const float *v, const float *work, int32_t first, int32_t end, float *y)
{
    const int32_t size = params->value_size;
    int32_t column = 0;
    for (; column + 4 <= size; column += 4) {
        float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
        for (int32_t j = first; j < end; j++) {
            const float *value = v + j * params->v.row + column;
            a += work[j] * value[0];
            b += work[j] * value[1];
            c += work[j] * value[2];
            d += work[j] * value[3];
        }
        y[column] = a;
        y[column + 1] = b;
        y[column + 2] = c;
        y[column + 3] = d;
    }
    for (; column < size; column++) {
        float sum = 0.0f;
        for (int32_t j = first; j < end; j++) {
            sum += work[j] * v[j * params->v.row + column];
        }
        y[column] = sum;
    }
}

#include "tinyc_attention_run.h"

TINYC_FN(attention_f32)
void tinyc_attention_f32 TINYC_ATTENTION_ARGUMENTS(float, float)
{
    tinyc_attention_run(params, q, k, v, mask, lengths, y, scores, work);
}
