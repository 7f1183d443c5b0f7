/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_recurrent_f64.h"

#include "tinyc_gru.h"

TINYC_FN(gru_f64)
void tinyc_gru_f64 TINYC_GRU_ARGUMENTS(double)
{
    tinyc_gru_run(params, x, w, r, bias, length, h0, y, h, work);
}
