/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_f64.h"

#include "tinyc_lstm.h"

TINYC_FN(lstm_f64)
void tinyc_lstm_f64 TINYC_LSTM_ARGUMENTS(double)
{
    tinyc_lstm_run(params, x, w, r, bias, peepholes, length, h0, c0, y, h, c, work);
}
