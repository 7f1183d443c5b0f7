/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_signal.h"

TINYC_FN(rfft_f32)
void tinyc_rfft_f32(float *data, const float *sine, int32_t length)
{
    const int32_t half = length / 2, quarter = length / 4;
    /* Even elements as real parts, odd ones as imaginary parts: the transforms of both come apart by symmetry. */
    tinyc_fft_f32(data, data + 1, sine, half, 2);
    const float first = data[0], odd = data[1];
    data[0] = first + odd;
    data[1] = 0.0f;
    data[length] = first - odd;
    data[length + 1] = 0.0f;
    for (int32_t k = 1; k <= half - k; k++) {
        float *const low = data + 2 * k, *const high = data + 2 * (half - k);
        const float even_re = 0.5f * (low[0] + high[0]), even_im = 0.5f * (low[1] - high[1]);
        const float odd_re = 0.5f * (low[1] + high[1]), odd_im = 0.5f * (high[0] - low[0]);
        const float c = sine[k + quarter], s = sine[k];
        const float re = odd_re * c + odd_im * s, im = odd_im * c - odd_re * s;
        low[0] = even_re + re;
        low[1] = even_im + im;
        high[0] = even_re - re;
        high[1] = im - even_im;
    }
}
