/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_s8.h"

#include "tinyc_sequence_s8.h"

/* The sums of a gate for the four units of a block, on the bias that is there; x or h may be NULL. */
static void gate_sums(const tinyc_recurrent_s8_params *params, int32_t sums[4], int32_t row, const int8_t *x, const int8_t *h)
{
    if (x != NULL) {
        tinyc_dot_4_rows_s8(sums, x, params->w + row * params->inputs, params->inputs);
    }
    if (h != NULL) {
        tinyc_dot_4_rows_s8(sums, h, params->r + row * params->hidden, params->hidden);
    }
}

/* Gate number `gate` of the four units of a block, before its activation. */
static void gate_values(const tinyc_recurrent_s8_params *params,
                        int32_t values[4],
                        int32_t block,
                        int32_t gate,
                        int32_t biases,
                        int32_t bias,
                        const int8_t *x,
                        const int8_t *h)
{
    const int32_t row = 4 * (3 * block + gate);
    memcpy(values, params->bias + 4 * (biases * block + bias), 4 * sizeof *values);
    gate_sums(params, values, row, x, h);
    for (int32_t i = 0; i < 4; i++) {
        values[i] = tinyc_gate_s8(params, values[i], row + i);
    }
}

static void sigmoid_gate(const tinyc_recurrent_s8_params *params,
                         int32_t values[4],
                         int32_t block,
                         int32_t gate,
                         const int8_t *x,
                         const int8_t *h)
{
    gate_values(params, values, block, gate, params->variant ? 4 : 3, gate, x, h);
    for (int32_t i = 0; i < 4; i++) {
        values[i] = tinyc_look_up_s16(tinyc_gate_sigmoid_s16, values[i]);
    }
}

/* A unit's new state: the candidate's operand and z. */
static int8_t new_state(const tinyc_recurrent_s8_params *params, int16_t *wide, int32_t candidate, int32_t z)
{
    const int32_t n = tinyc_look_up_s16(tinyc_gate_tanh_s16, candidate);
    *wide = (int16_t)tinyc_saturate_s16(tinyc_half_up((32768 - z) * n + z * *wide, 15));
    return tinyc_state_s8(params, *wide);
}

/* The reset gate acts on the product with the state. */
static void step_behind(const tinyc_recurrent_s8_params *params, const int8_t *x, int8_t *h, int16_t *wide, int8_t *work)
{
    for (int32_t block = 0; 4 * block < params->hidden; block++) {
        int32_t z[4], r[4], from_x[4], from_h[4];
        sigmoid_gate(params, z, block, 0, x, h);
        sigmoid_gate(params, r, block, 1, x, h);
        gate_values(params, from_x, block, 2, 4, 2, x, NULL);
        gate_values(params, from_h, block, 2, 4, 3, NULL, h);
        for (int32_t i = 0; i < 4 && 4 * block + i < params->hidden; i++) {
            const int32_t unit = 4 * block + i;
            const int32_t candidate = tinyc_saturate_s16(from_x[i] + tinyc_half_up(r[i] * from_h[i], 15));
            work[unit] = new_state(params, wide + unit, candidate, z[i]);
        }
    }
    memcpy(h, work, (size_t)params->hidden);
}

/* The reset gate acts on the state: work has r * state, then z in two bytes for each unit. */
static void step_before(const tinyc_recurrent_s8_params *params, const int8_t *x, int8_t *h, int16_t *wide, int8_t *work)
{
    const int32_t hidden = params->hidden;
    int8_t *update = work + hidden;
    for (int32_t block = 0; 4 * block < hidden; block++) {
        int32_t z[4], r[4];
        sigmoid_gate(params, z, block, 0, x, h);
        sigmoid_gate(params, r, block, 1, x, h);
        for (int32_t i = 0; i < 4 && 4 * block + i < hidden; i++) {
            const int32_t unit = 4 * block + i;
            const int16_t kept = (int16_t)z[i];
            memcpy(update + 2 * unit, &kept, sizeof kept);
            work[unit] = tinyc_state_s8(params, tinyc_half_up(r[i] * wide[unit], 15));
        }
    }
    for (int32_t block = 0; 4 * block < hidden; block++) {
        int32_t candidate[4];
        gate_values(params, candidate, block, 2, 3, 2, x, work);
        for (int32_t i = 0; i < 4 && 4 * block + i < hidden; i++) {
            const int32_t unit = 4 * block + i;
            int16_t z;
            memcpy(&z, update + 2 * unit, sizeof z);
            h[unit] = new_state(params, wide + unit, candidate[i], z);
        }
    }
}

TINYC_FN(gru_s8)
void tinyc_gru_s8 TINYC_RECURRENT_S8_ARGUMENTS
{
    const int32_t steps = tinyc_start_s8(params, length, h, wide);
    for (int32_t done = 0; done < steps; done++) {
        const int32_t step = tinyc_step_s8(params, steps, done);
        if (params->variant) {
            step_behind(params, x + step * params->x_step, h, wide, work);
        } else {
            step_before(params, x + step * params->x_step, h, wide, work);
        }
        tinyc_store_s8(params, y, step, h);
    }
    tinyc_end_s8(params, y, steps);
}
