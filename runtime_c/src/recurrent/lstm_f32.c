/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_f32.h"

#include "tinyc_lstm.h"

TINYC_FN(lstm_f32)
void tinyc_lstm_f32 TINYC_LSTM_ARGUMENTS(float)
{
    tinyc_lstm_run(params, x, w, r, bias, peepholes, length, h0, c0, y, h, c, work);
}
