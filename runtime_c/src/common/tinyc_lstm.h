/* SPDX-License-Identifier: Apache-2.0 */
/* The LSTM for the element type REAL; a tile of dot products makes the four gates of one unit. */
#ifndef TINYC_LSTM_H
#define TINYC_LSTM_H

#include "tinyc_sequence.h"

TINYC_INLINE void tinyc_lstm_run TINYC_LSTM_ARGUMENTS(REAL)
{
    const int32_t hidden = params->hidden;
    const int32_t steps = tinyc_sequence_length(params, length);
    tinyc_sequence_start(h, h0, hidden, steps);
    tinyc_sequence_start(c, c0, hidden, steps);
    for (int32_t done = 0; done < steps; done++) {
        const int32_t step = tinyc_sequence_step(params, steps, done);
        for (int32_t unit = 0; unit < hidden; unit++) {
            const int32_t row[4] = {unit, hidden + unit, 2 * hidden + unit, 3 * hidden + unit};
            REAL gate[4]; /* i, o, f, c */
            for (int32_t i = 0; i < 4; i++) {
                gate[i] = bias != NULL ? bias[row[i]] : 0;
            }
            NAME(rows)(gate, w, params->inputs, row, x + step * params->x_step);
            NAME(rows)(gate, r, hidden, row, h);
            if (peepholes != NULL) {
                gate[0] += peepholes[unit] * c[unit];
                gate[2] += peepholes[2 * hidden + unit] * c[unit];
            }
            const REAL in = ACTIVATE(f, tinyc_sigmoid_f32, gate[0]);
            const REAL forget = params->variant ? 1 - in : ACTIVATE(f, tinyc_sigmoid_f32, gate[2]);
            const REAL cell = forget * c[unit] + in * ACTIVATE(g, tinyc_tanh_f32, gate[3]);
            if (peepholes != NULL) {
                gate[1] += peepholes[hidden + unit] * cell;
            }
            c[unit] = cell;
            work[unit] = ACTIVATE(f, tinyc_sigmoid_f32, gate[1]) * UNCLIPPED(h, tinyc_tanh_f32, cell);
        }
        memcpy(h, work, (size_t)hidden * sizeof *h);
        tinyc_sequence_store(params, y, step, h);
    }
    tinyc_sequence_end(params, y, steps);
}

#endif /* TINYC_LSTM_H */
