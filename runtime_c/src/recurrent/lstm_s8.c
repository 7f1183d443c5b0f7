/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_s8.h"

#include "tinyc_sequence_s8.h"

/* One unit; `unit` is its block of rows. */
static int8_t lstm_unit(
    const tinyc_recurrent_s8_params *params, const int8_t *x, const int8_t *h, int16_t *cell, int32_t unit)
{
    const int32_t row = 4 * unit;
    int32_t gate[4];
    memcpy(gate, params->bias + row, sizeof gate);
    tinyc_dot_4_rows_s8(gate, x, params->w + row * params->inputs, params->inputs);
    tinyc_dot_4_rows_s8(gate, h, params->r + row * params->hidden, params->hidden);
    for (int32_t i = 0; i < 4; i++) {
        gate[i] = tinyc_look_up_s16(
            i < 3 ? tinyc_gate_sigmoid_s16 : tinyc_gate_tanh_s16, tinyc_gate_s8(params, gate[i], row + i));
    }
    const int32_t kept = gate[2] * *cell + tinyc_half_up(gate[0] * gate[3], 4);
    *cell = (int16_t)tinyc_saturate_s16(tinyc_half_up(kept, 15));
    const int32_t inside = tinyc_look_up_s16(tinyc_gate_tanh_s16, tinyc_saturate_s16(*cell * 2));
    return tinyc_state_s8(params, gate[1] * inside);
}

TINYC_FN(lstm_s8)
void tinyc_lstm_s8 TINYC_RECURRENT_S8_ARGUMENTS
{
    const int32_t steps = tinyc_start_s8(params, length, h, wide);
    for (int32_t done = 0; done < steps; done++) {
        const int32_t step = tinyc_step_s8(params, steps, done);
        for (int32_t unit = 0; unit < params->hidden; unit++) {
            work[unit] = lstm_unit(params, x + step * params->x_step, h, wide + unit, unit);
        }
        memcpy(h, work, (size_t)params->hidden);
        tinyc_store_s8(params, y, step, h);
    }
    tinyc_end_s8(params, y, steps);
}
