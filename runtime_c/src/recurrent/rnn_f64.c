/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_f64.h"

#include "tinyc_rnn.h"

TINYC_FN(rnn_f64)
void tinyc_rnn_f64 TINYC_GRU_ARGUMENTS(double)
{
    tinyc_rnn_run(params, x, w, r, bias, length, h0, y, h, work);
}
