/* SPDX-License-Identifier: Apache-2.0
 *
 * int8 recurrent layers. A call runs one direction over one sequence; weights, bias, multipliers and shifts as
 * compiler/tinyc/quantize/recurrent.py says, which is the specification to the bit.
 *
 * Weights come in blocks of four rows, the last one filled up with zeros: for an LSTM the four gates (i, o, f, c) of a
 * unit, for a GRU four units of a gate (z, r, h, then the next four units), for an RNN four units. Multipliers and
 * shifts have an element for each row; so has the bias, but for a GRU with the variant, which has 16 for each four
 * units: z, r, h beside w, h beside r.
 */
#ifndef TINYC_RECURRENT_S8_H
#define TINYC_RECURRENT_S8_H

#include <stdint.h>

#include "tinyc_runtime.h"

#define tinyc_lstm_s8 tinyc1_lstm_s8
#define tinyc_gru_s8 tinyc1_gru_s8
#define tinyc_rnn_s8 tinyc1_rnn_s8
#define tinyc_dot_4_rows_s8 tinyc1_dot_4_rows_s8
#define tinyc_gate_sigmoid_s16 tinyc1_gate_sigmoid_s16
#define tinyc_gate_tanh_s16 tinyc1_gate_tanh_s16

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t steps, inputs, hidden;
    int32_t x_step, y_step;       /* elements from one step's row to the next */
    int32_t reverse, variant;     /* variant: a GRU's reset gate acts on the product with the state */
    int32_t zero_point;           /* of y and h */
    int32_t multiplier, shift;    /* from products of two gates (LSTM), or from a gate, to y */
    const int8_t *w, *r;
    const int32_t *bias, *multipliers;
    const int8_t *shifts;
    const int8_t *first;          /* [hidden], the state before the first step */
    const int16_t *first_wide;    /* [hidden], the cell (LSTM), the state with 15 fractional bits (GRU) */
} tinyc_recurrent_s8_params;

/* y, h, length as tinyc_recurrent.h says; wide [hidden] is the cell or the wide state. work [hidden] for an LSTM and an
 * RNN, [3 * hidden] for a GRU. */
#define TINYC_RECURRENT_S8_ARGUMENTS                                                                                   \
    (const tinyc_recurrent_s8_params *params, const int8_t *x, const int32_t *length, int8_t *y, int8_t *h,            \
     int16_t *wide, int8_t *work)

void tinyc_lstm_s8 TINYC_RECURRENT_S8_ARGUMENTS;
void tinyc_gru_s8 TINYC_RECURRENT_S8_ARGUMENTS;
void tinyc_rnn_s8 TINYC_RECURRENT_S8_ARGUMENTS;

/* acc[i] += sum over k of x[k] * weights[i * depth + k], for four rows. */
void tinyc_dot_4_rows_s8(int32_t acc[4], const int8_t *x, const int8_t *weights, int32_t depth);

/* Sigmoid and tanh of -8 .. 8, 1/16 apart, with 15 fractional bits. */
extern const int16_t tinyc_gate_sigmoid_s16[257];
extern const int16_t tinyc_gate_tanh_s16[257];

#ifdef __cplusplus
}
#endif

#endif /* TINYC_RECURRENT_S8_H */
