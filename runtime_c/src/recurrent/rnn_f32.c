/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_f32.h"

#include "tinyc_rnn.h"

TINYC_FN(rnn_f32)
void tinyc_rnn_f32 TINYC_GRU_ARGUMENTS(float)
{
    tinyc_rnn_run(params, x, w, r, bias, length, h0, y, h, work);
}
