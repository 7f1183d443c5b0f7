/* SPDX-License-Identifier: Apache-2.0 */
/* What the int8 recurrent layers share. */
#ifndef TINYC_SEQUENCE_S8_H
#define TINYC_SEQUENCE_S8_H

#include "tinyc_recurrent_s8.h"

#include "tinyc_requantize.h"
#include "tinyc_scalar.h"

#include <stddef.h>
#include <string.h>

/* How many steps the sequence has; sets the state before the first of them. */
TINYC_INLINE int32_t tinyc_start_s8(
    const tinyc_recurrent_s8_params *params, const int32_t *length, int8_t *h, int16_t *wide)
{
    const size_t hidden = (size_t)params->hidden;
    int32_t steps = params->steps;
    if (length != NULL) {
        steps = *length < 0 ? 0 : *length < steps ? *length : steps;
    }
    if (steps == 0) {
        memset(h, (int)params->zero_point, hidden);
        return 0;
    }
    memcpy(h, params->first, hidden);
    if (wide != NULL) {
        memcpy(wide, params->first_wide, hidden * sizeof *wide);
    }
    return steps;
}

/* Which of the steps is done as number `done`. */
TINYC_INLINE int32_t tinyc_step_s8(const tinyc_recurrent_s8_params *params, int32_t steps, int32_t done)
{
    return params->reverse ? steps - 1 - done : done;
}

TINYC_INLINE void tinyc_store_s8(const tinyc_recurrent_s8_params *params, int8_t *y, int32_t step, const int8_t *h)
{
    if (y != NULL) {
        memcpy(y + step * params->y_step, h, (size_t)params->hidden);
    }
}

/* Zeros behind the sequence's end. */
TINYC_INLINE void tinyc_end_s8(const tinyc_recurrent_s8_params *params, int8_t *y, int32_t steps)
{
    for (int32_t step = steps; y != NULL && step < params->steps; step++) {
        memset(y + step * params->y_step, (int)params->zero_point, (size_t)params->hidden);
    }
}

TINYC_INLINE int32_t tinyc_saturate_s16(int32_t value)
{
    return tinyc_clamp_s32(value, -32768, 32767);
}

/* value / 2^bits, rounded half upwards. */
TINYC_INLINE int32_t tinyc_half_up(int32_t value, int32_t bits)
{
    return (value + ((int32_t)1 << (bits - 1))) >> bits;
}

/* A table's function of a number with 12 fractional bits. */
TINYC_INLINE int32_t tinyc_look_up_s16(const int16_t *table, int32_t x)
{
    const int16_t *place = table + ((x >> 8) + 128);
    return place[0] + (((place[1] - place[0]) * (x & 255) + 128) >> 8);
}

/* The operand of a gate: row number `row`'s sum with 12 fractional bits. */
TINYC_INLINE int32_t tinyc_gate_s8(const tinyc_recurrent_s8_params *params, int32_t sum, int32_t row)
{
    return tinyc_saturate_s16(tinyc_requantize(sum, params->multipliers[row], params->shifts[row]));
}

TINYC_INLINE int8_t tinyc_state_s8(const tinyc_recurrent_s8_params *params, int32_t value)
{
    return (int8_t)tinyc_requantize_one(value, params->multiplier, params->shift, params->zero_point, -128, 127);
}

#endif /* TINYC_SEQUENCE_S8_H */
