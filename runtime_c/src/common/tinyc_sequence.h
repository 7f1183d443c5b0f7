/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beginning and end of a recurrent layer's run, and a step's row, for the element type REAL. Included by the recurrent
 * layers' source files only, behind tinyc_recurrent_f32.h or tinyc_recurrent_f64.h.
 */
#ifndef TINYC_SEQUENCE_H
#define TINYC_SEQUENCE_H

/* How many steps the sequence has. */
TINYC_INLINE int32_t tinyc_sequence_length(const tinyc_recurrent_params *params, const int32_t *length)
{
    if (length == NULL) {
        return params->steps;
    }
    return *length < 0 ? 0 : *length > params->steps ? params->steps : *length;
}

/* The state before the first step. */
TINYC_INLINE void tinyc_sequence_start(REAL *state, const REAL *initial, int32_t hidden, int32_t steps)
{
    if (initial == NULL || steps == 0) {
        for (int32_t i = 0; i < hidden; i++) {
            state[i] = 0;
        }
    } else if (initial != state) {
        memmove(state, initial, (size_t)hidden * sizeof *state);
    }
}

/* Which of `steps` steps is done as number `done`. */
TINYC_INLINE int32_t tinyc_sequence_step(const tinyc_recurrent_params *params, int32_t steps, int32_t done)
{
    return params->reverse ? steps - 1 - done : done;
}

TINYC_INLINE void tinyc_sequence_store(const tinyc_recurrent_params *params, REAL *y, int32_t step, const REAL *state)
{
    if (y != NULL) {
        memcpy(y + step * params->y_step, state, (size_t)params->hidden * sizeof *state);
    }
}

/* Zeros behind the sequence's end. */
TINYC_INLINE void tinyc_sequence_end(const tinyc_recurrent_params *params, REAL *y, int32_t steps)
{
    for (int32_t step = steps; y != NULL && step < params->steps; step++) {
        for (int32_t i = 0; i < params->hidden; i++) {
            y[step * params->y_step + i] = 0;
        }
    }
}

/* Rows first .. first + 3 of a block of `rows` rows that begins at row `base`; the last one repeated at the edge. */
TINYC_INLINE void tinyc_four_rows(int32_t row[4], int32_t base, int32_t first, int32_t rows)
{
    for (int32_t i = 0; i < 4; i++) {
        row[i] = base + (first + i < rows ? first + i : rows - 1);
    }
}

#endif /* TINYC_SEQUENCE_H */
