/* SPDX-License-Identifier: Apache-2.0 */
/* The plain recurrent layer for the element type REAL. */
#ifndef TINYC_RNN_H
#define TINYC_RNN_H

#include "tinyc_sequence.h"

TINYC_INLINE void tinyc_rnn_run TINYC_GRU_ARGUMENTS(REAL)
{
    const int32_t hidden = params->hidden;
    const int32_t steps = tinyc_sequence_length(params, length);
    tinyc_sequence_start(h, h0, hidden, steps);
    for (int32_t done = 0; done < steps; done++) {
        const int32_t step = tinyc_sequence_step(params, steps, done);
        for (int32_t first = 0; first < hidden; first += 4) {
            int32_t row[4];
            REAL sums[4];
            tinyc_four_rows(row, 0, first, hidden);
            for (int32_t i = 0; i < 4; i++) {
                sums[i] = bias != NULL ? bias[row[i]] : 0;
            }
            NAME(rows)(sums, w, params->inputs, row, x + step * params->x_step);
            NAME(rows)(sums, r, hidden, row, h);
            for (int32_t i = 0; i < 4 && first + i < hidden; i++) {
                work[first + i] = ACTIVATE(f, tinyc_tanh_f32, sums[i]);
            }
        }
        memcpy(h, work, (size_t)hidden * sizeof *h);
        tinyc_sequence_store(params, y, step, h);
    }
    tinyc_sequence_end(params, y, steps);
}

#endif /* TINYC_RNN_H */
