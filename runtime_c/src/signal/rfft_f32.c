/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_signal.h"

#include "tinyc_split_spectrum.h"

TINYC_FN(rfft_f32)
void tinyc_rfft_f32(float *data, const float *sine, int32_t length)
{
    tinyc_fft_f32(data, data + 1, sine, length / 2, 2);
    tinyc_split_spectrum(data, sine + length / 4, sine, 1, length);
}
