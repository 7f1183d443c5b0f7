/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_s8.h"

#include "tinyc_sequence_s8.h"

TINYC_FN(rnn_s8)
void tinyc_rnn_s8 TINYC_RECURRENT_S8_ARGUMENTS
{
    const int32_t steps = tinyc_start_s8(params, length, h, NULL);
    (void)wide;
    for (int32_t done = 0; done < steps; done++) {
        const int32_t step = tinyc_step_s8(params, steps, done);
        for (int32_t row = 0; row < params->hidden; row += 4) {
            int32_t sums[4];
            memcpy(sums, params->bias + row, sizeof sums);
            tinyc_dot_4_rows_s8(sums, x + step * params->x_step, params->w + row * params->inputs, params->inputs);
            tinyc_dot_4_rows_s8(sums, h, params->r + row * params->hidden, params->hidden);
            for (int32_t i = 0; i < 4 && row + i < params->hidden; i++) {
                const int32_t operand = tinyc_gate_s8(params, sums[i], row + i);
                work[row + i] = tinyc_state_s8(params, tinyc_look_up_s16(tinyc_gate_tanh_s16, operand));
            }
        }
        memcpy(h, work, (size_t)params->hidden);
        tinyc_store_s8(params, y, step, h);
    }
    tinyc_end_s8(params, y, steps);
}
