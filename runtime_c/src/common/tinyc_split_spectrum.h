/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_SPLIT_SPECTRUM_H
#define TINYC_SPLIT_SPECTRUM_H

#include "tinyc_runtime.h"

#include <stdint.h>

/*
 * The transform of `length` real numbers from that of half as many complex ones, which are the even elements as real
 * parts and the odd ones as imaginary parts: both transforms come apart by symmetry. In place; data has room for
 * length + 2. cosine[k * stride] and sine[k * stride] are those of 2 pi k / length.
 */
TINYC_INLINE void tinyc_split_spectrum(float *data, const float *cosine, const float *sine, int32_t stride, int32_t length)
{
    const int32_t half = length / 2;
    const float first = data[0], odd = data[1];
    data[0] = first + odd;
    data[1] = 0.0f;
    data[length] = first - odd;
    data[length + 1] = 0.0f;
    for (int32_t k = 1; k <= half - k; k++) {
        float *const low = data + 2 * k, *const high = data + 2 * (half - k);
        const float even_re = 0.5f * (low[0] + high[0]), even_im = 0.5f * (low[1] - high[1]);
        const float odd_re = 0.5f * (low[1] + high[1]), odd_im = 0.5f * (high[0] - low[0]);
        const float c = cosine[k * stride], s = sine[k * stride];
        const float re = odd_re * c + odd_im * s, im = odd_im * c - odd_re * s;
        low[0] = even_re + re;
        low[1] = even_im + im;
        high[0] = even_re - re;
        high[1] = im - even_im;
    }
}

#endif /* TINYC_SPLIT_SPECTRUM_H */
