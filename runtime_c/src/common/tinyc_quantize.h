/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_QUANTIZE_H
#define TINYC_QUANTIZE_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* The quantized value of x in [lowest, highest]: x / scale rounded to nearest, halves to even, plus zero_point. The
 * limits and zero_point are at most 16-bit values. NaN gives lowest. */
TINYC_INLINE int32_t tinyc_quantize(float x, float scale, int32_t zero_point, int32_t lowest, int32_t highest)
{
    /* Floats from 2^23 to 2^24 are the integers, so adding this to a smaller number rounds it to one. Unlike rintf,
     * it needs no library and no instruction that some cores lack. */
    const float integers = 12582912.0f;
    const float min = (float)(lowest - zero_point), max = (float)(highest - zero_point);
    float quotient = x / scale;
    quotient = quotient > min ? quotient : min; /* NaN fails the comparison */
    quotient = quotient < max ? quotient : max;
    return (int32_t)((quotient + integers) - integers) + zero_point;
}

#endif /* TINYC_QUANTIZE_H */
