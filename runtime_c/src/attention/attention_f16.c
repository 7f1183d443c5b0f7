/* SPDX-License-Identifier: Apache-2.0 */
/* Half precision: each step is computed in float and rounded, where ONNX's definition by other operators rounds it. */
#include "tinyc_attention.h"

#include "tinyc_scalar.h"

#include <math.h>

#define REAL uint16_t
#define NUMBER float
#define LOAD(x) tinyc_half_to_float(x)
#define STORE(x) tinyc_float_to_half(x)
#define ROUND(x) tinyc_half_to_float(tinyc_float_to_half(x))
#define EXP expf
#define TANH tanhf
#define SCORES score_keys
#define MIX mix_values

/* The scaled products of a query with keys first .. end - 1. */
static void score_keys(
    const tinyc_attention_params *params, const REAL *q, const REAL *k, NUMBER *work, int32_t first, int32_t end)
{
    const float root = ROUND(sqrtf(params->scale)); /* scales both factors */
    for (int32_t j = first; j < end; j++) {
        const REAL *key = k + j * params->k.row;
        NUMBER sum = 0;
        for (int32_t i = 0; i < params->size; i++) {
            sum += ROUND(LOAD(q[i]) * root) * ROUND(LOAD(key[i]) * root);
        }
        work[j] = ROUND(sum);
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

TINYC_FN(attention_f16)
void tinyc_attention_f16 TINYC_ATTENTION_ARGUMENTS(uint16_t, float)
{
    tinyc_attention_run(params, q, k, v, mask, lengths, y, scores, work);
}
