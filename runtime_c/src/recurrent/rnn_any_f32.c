/* SPDX-License-Identifier: Apache-2.0 */
#define TINYC_ANY_ACTIVATION 1

#include "tinyc_recurrent_f32.h"

#include "tinyc_rnn.h"

TINYC_FN(rnn_any_f32)
void tinyc_rnn_any_f32 TINYC_GRU_ARGUMENTS(float)
{
    tinyc_rnn_run(params, x, w, r, bias, length, h0, y, h, work);
}
