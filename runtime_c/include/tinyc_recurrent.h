/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers. A call runs one direction over one sequence.
 *
 * x rows of `inputs` elements, one every x_step elements; w [gates * hidden][inputs] and r [gates * hidden][hidden]
 * as ONNX orders the gates; bias or NULL, the sum of ONNX's two. length: how many of the steps the sequence has
 * (NULL: all; values outside 0 .. steps count as the nearest of them). h0 [hidden] or NULL for zeros. y, a row of
 * `hidden` elements every y_step elements for each step, zeros behind the sequence's end, or NULL. h [hidden]
 * receives the last state of a sequence of at least one step; of an empty sequence, zeros. y may begin where x does
 * or before, where its rows are no longer; h may be h0 or begin before it. Nothing else may overlap.
 */
#ifndef TINYC_RECURRENT_H
#define TINYC_RECURRENT_H

#include <stdint.h>

#include "tinyc_runtime.h"

#define tinyc_lstm_f32 tinyc1_lstm_f32
#define tinyc_lstm_any_f32 tinyc1_lstm_any_f32
#define tinyc_lstm_f64 tinyc1_lstm_f64
#define tinyc_gru_f32 tinyc1_gru_f32
#define tinyc_gru_any_f32 tinyc1_gru_any_f32
#define tinyc_gru_f64 tinyc1_gru_f64
#define tinyc_rnn_f32 tinyc1_rnn_f32
#define tinyc_rnn_any_f32 tinyc1_rnn_any_f32
#define tinyc_rnn_f64 tinyc1_rnn_f64

#ifdef __cplusplus
extern "C" {
#endif

/* ONNX's activations. The functions without "any" are for sigmoid gates and tanh, and read none of this. */
enum {
    TINYC_RELU,
    TINYC_TANH,
    TINYC_SIGMOID,
    TINYC_AFFINE,
    TINYC_LEAKY_RELU,
    TINYC_THRESHOLDED_RELU,
    TINYC_SCALED_TANH,
    TINYC_HARD_SIGMOID,
    TINYC_ELU,
    TINYC_SOFTSIGN,
    TINYC_SOFTPLUS
};

typedef struct {
    int32_t kind;
    float alpha, beta;
} tinyc_activation;

typedef struct {
    int32_t steps, inputs, hidden;
    int32_t x_step, y_step; /* elements from one step's row to the next */
    int32_t reverse;        /* 1: from the sequence's end to its beginning */
    int32_t variant;        /* LSTM: the input gate is also 1 - forget gate; GRU: the reset gate acts behind r */
    float clip;             /* "any" only: operands of the gates' activations are bounded to -clip .. clip; INFINITY for none */
    tinyc_activation f, g, h;
} tinyc_recurrent_params;

/* Gates i, o, f, c. peepholes [3 * hidden] (i, o, f) or NULL; c0 [hidden] or NULL for zeros; c [hidden] receives the
 * last cell state and may be c0, as h. work [hidden]. */
#define TINYC_LSTM_ARGUMENTS(real)                                                                                     \
    (const tinyc_recurrent_params *params, const real *x, const real *w, const real *r, const real *bias,              \
     const real *peepholes, const int32_t *length, const real *h0, const real *c0, real *y, real *h, real *c,          \
     real *work)

void tinyc_lstm_f32 TINYC_LSTM_ARGUMENTS(float);
void tinyc_lstm_any_f32 TINYC_LSTM_ARGUMENTS(float);
void tinyc_lstm_f64 TINYC_LSTM_ARGUMENTS(double);

/* Gates z, r, h; bias [3 * hidden], with the variant [4 * hidden]: z, r, and for h that of w, then that of r.
 * work [2 * hidden]. */
#define TINYC_GRU_ARGUMENTS(real)                                                                                      \
    (const tinyc_recurrent_params *params, const real *x, const real *w, const real *r, const real *bias,              \
     const int32_t *length, const real *h0, real *y, real *h, real *work)

void tinyc_gru_f32 TINYC_GRU_ARGUMENTS(float);
void tinyc_gru_any_f32 TINYC_GRU_ARGUMENTS(float);
void tinyc_gru_f64 TINYC_GRU_ARGUMENTS(double);

/* work [hidden]. */
void tinyc_rnn_f32 TINYC_GRU_ARGUMENTS(float);
void tinyc_rnn_any_f32 TINYC_GRU_ARGUMENTS(float);
void tinyc_rnn_f64 TINYC_GRU_ARGUMENTS(double);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_RECURRENT_H */
