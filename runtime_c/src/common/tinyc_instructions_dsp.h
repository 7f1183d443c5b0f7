/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single instructions for which ACLE has no intrinsic, or one whose use costs more: __ssat marks the sticky Q
 * flag as changed, which keeps GCC from moving it.
 */
#ifndef TINYC_INSTRUCTIONS_DSP_H
#define TINYC_INSTRUCTIONS_DSP_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* acc + (a * b) / 2^32, rounded half upwards. */
TINYC_INLINE int32_t tinyc_smmlar(int32_t a, int32_t b, int32_t acc)
{
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(acc));
    return result;
}

/* The halfwords of acc plus bytes 1 and 3 of x. */
TINYC_INLINE int32_t tinyc_sxtab16_odd(int32_t acc, int32_t x)
{
    int32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(acc), "r"(x));
    return result;
}

/* x saturated to int8. */
TINYC_INLINE int32_t tinyc_ssat8(int32_t x)
{
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return result;
}

#endif /* TINYC_INSTRUCTIONS_DSP_H */
