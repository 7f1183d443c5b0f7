/* SPDX-License-Identifier: Apache-2.0 */
/* The GRU for the element type REAL; tiles of dot products make a gate of four units. */
#ifndef TINYC_GRU_H
#define TINYC_GRU_H

#include "tinyc_sequence.h"

/* Gate number `gate` of units first .. first + 3 from x alone, or with the state in it. */
TINYC_INLINE void tinyc_gru_gate(const tinyc_recurrent_params *params,
                                 REAL sums[4],
                                 int32_t gate,
                                 int32_t first,
                                 const REAL *w,
                                 const REAL *x,
                                 const REAL *r,
                                 const REAL *state,
                                 const REAL *bias)
{
    int32_t row[4];
    tinyc_four_rows(row, gate * params->hidden, first, params->hidden);
    for (int32_t i = 0; i < 4; i++) {
        sums[i] = bias != NULL ? bias[row[i]] : 0;
    }
    if (w != NULL) {
        NAME(rows)(sums, w, params->inputs, row, x);
    }
    if (r != NULL) {
        NAME(rows)(sums, r, params->hidden, row, state);
    }
}

/* The reset gate acts on the state: work has z, then r * state; the state is replaced unit by unit. */
TINYC_INLINE void tinyc_gru_step_before(const tinyc_recurrent_params *params,
                                        const REAL *x,
                                        const REAL *w,
                                        const REAL *r,
                                        const REAL *bias,
                                        REAL *h,
                                        REAL *work)
{
    const int32_t hidden = params->hidden;
    REAL sums[4];
    for (int32_t first = 0; first < hidden; first += 4) {
        tinyc_gru_gate(params, sums, 0, first, w, x, r, h, bias);
        for (int32_t i = 0; i < 4 && first + i < hidden; i++) {
            work[first + i] = ACTIVATE(f, tinyc_sigmoid_f32, sums[i]);
        }
        tinyc_gru_gate(params, sums, 1, first, w, x, r, h, bias);
        for (int32_t i = 0; i < 4 && first + i < hidden; i++) {
            work[hidden + first + i] = ACTIVATE(f, tinyc_sigmoid_f32, sums[i]) * h[first + i];
        }
    }
    for (int32_t first = 0; first < hidden; first += 4) {
        tinyc_gru_gate(params, sums, 2, first, w, x, r, work + hidden, bias);
        for (int32_t i = 0; i < 4 && first + i < hidden; i++) {
            const int32_t unit = first + i;
            h[unit] = (1 - work[unit]) * ACTIVATE(g, tinyc_tanh_f32, sums[i]) + work[unit] * h[unit];
        }
    }
}

/* The reset gate acts on the product with the state (linear_before_reset): work has the new state. */
TINYC_INLINE void tinyc_gru_step_behind(const tinyc_recurrent_params *params,
                                        const REAL *x,
                                        const REAL *w,
                                        const REAL *r,
                                        const REAL *bias,
                                        REAL *h,
                                        REAL *work)
{
    const int32_t hidden = params->hidden;
    for (int32_t first = 0; first < hidden; first += 4) {
        REAL update[4], reset[4], input[4], state[4];
        tinyc_gru_gate(params, update, 0, first, w, x, r, h, bias);
        tinyc_gru_gate(params, reset, 1, first, w, x, r, h, bias);
        tinyc_gru_gate(params, input, 2, first, w, x, NULL, NULL, bias);
        tinyc_gru_gate(params, state, 2, first, NULL, NULL, r, h, bias != NULL ? bias + hidden : NULL);
        for (int32_t i = 0; i < 4 && first + i < hidden; i++) {
            const REAL z = ACTIVATE(f, tinyc_sigmoid_f32, update[i]);
            const REAL gated = input[i] + ACTIVATE(f, tinyc_sigmoid_f32, reset[i]) * state[i];
            work[first + i] = (1 - z) * ACTIVATE(g, tinyc_tanh_f32, gated) + z * h[first + i];
        }
    }
    memcpy(h, work, (size_t)hidden * sizeof *h);
}

TINYC_INLINE void tinyc_gru_run TINYC_GRU_ARGUMENTS(REAL)
{
    const int32_t steps = tinyc_sequence_length(params, length);
    tinyc_sequence_start(h, h0, params->hidden, steps);
    for (int32_t done = 0; done < steps; done++) {
        const int32_t step = tinyc_sequence_step(params, steps, done);
        const REAL *row = x + step * params->x_step;
        if (params->variant) {
            tinyc_gru_step_behind(params, row, w, r, bias, h, work);
        } else {
            tinyc_gru_step_before(params, row, w, r, bias, h, work);
        }
        tinyc_sequence_store(params, y, step, h);
    }
    tinyc_sequence_end(params, y, steps);
}

#endif /* TINYC_GRU_H */
