/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_attention.h"

#include <math.h>

#define REAL double
#define NUMBER double
#define LOAD(x) (x)
#define STORE(x) (x)
#define ROUND(x) (x)
#define EXP exp
#define TANH tanh
#define SCORES score_keys
#define MIX mix_values

/* The scaled products of a query with keys first .. end - 1. */
static void score_keys(
    const tinyc_attention_params *params, const REAL *q, const REAL *k, NUMBER *work, int32_t first, int32_t end)
{
    const double scale = (double)params->scale;
    for (int32_t j = first; j < end; j++) {
        const REAL *key = k + j * params->k.row;
        NUMBER sum = 0;
        for (int32_t i = 0; i < params->size; i++) {
            sum += q[i] * key[i];
        }
        work[j] = sum * scale;
    }
}

/* The values of keys first .. end - 1, weighted by work. */
static void mix_values(
    const tinyc_attention_params *params, const REAL *v, const NUMBER *work, int32_t first, int32_t end, REAL *y)
{
    for (int32_t column = 0; column < params->value_size; column++) {
        NUMBER sum = 0;
        for (int32_t j = first; j < end; j++) {
            sum += work[j] * LOAD(v[j * params->v.row + column]);
        }
        y[column] = STORE(sum);
    }
}

#include "tinyc_attention_run.h"

TINYC_FN(attention_f64)
void tinyc_attention_f64 TINYC_ATTENTION_ARGUMENTS(double, double)
{
    tinyc_attention_run(params, q, k, v, mask, lengths, y, scores, work);
}
