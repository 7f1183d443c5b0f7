/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_signal.h"

#include "tinyc_split_spectrum.h"

TINYC_FN(rfft_mixed_f32)
void tinyc_rfft_mixed_f32(float *data, float *work, const float *turns, int32_t length)
{
    tinyc_fft_mixed_f32(data, work, turns, length / 2, 2);
    tinyc_split_spectrum(data, turns, turns + 1, 2, length);
}
