/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_f32.h"

#include "tinyc_gru.h"

TINYC_FN(gru_f32)
void tinyc_gru_f32 TINYC_GRU_ARGUMENTS(float)
{
    tinyc_gru_run(params, x, w, r, bias, length, h0, y, h, work);
}
