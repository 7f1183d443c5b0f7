/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_3x3_s8.h"
#include "tinyc_dsp.h"

/* The high halves of two words, the first in the low half; ACLE has none. */
TINYC_INLINE int8x4_t high_halves(int8x4_t first, int8x4_t second)
{
    int8x4_t result;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(second), "r"(first));
    return result;
}

/* Two pixels of four channels, one word to each of four planes that are `plane` words apart. */
TINYC_INLINE void widen_pair(int32_t *to, int32_t plane, int8x4_t first, int8x4_t second)
{
    const int8x4_t low = (int8x4_t)tinyc_pkhbt(first, second);
    const int8x4_t high = high_halves(first, second);
    to[0] = __sxtb16(low);
    to[plane] = tinyc_sxtb16_ror8(low);
    to[2 * plane] = __sxtb16(high);
    to[3 * plane] = tinyc_sxtb16_ror8(high);
}

TINYC_FN(depthwise_widen_s8)
void tinyc_depthwise_widen_s8(const tinyc_depthwise_widening *how, const int8_t *line, int32_t *planes)
{
    const int8x4_t zeros = (int8x4_t)tinyc_dup_s8x4(how->zero_point);
    const int32_t plane = how->groups * TINYC_DEPTHWISE_LINES;
    const int32_t step = how->step;
    int32_t *const end = planes + plane;
    int32_t left = how->count;
    if (how->pad != 0 && left > 0) {
        widen_pair(planes, plane, zeros, tinyc_load_s8x4(line));
        line += step;
        planes += TINYC_DEPTHWISE_LINES;
        --left;
    }
    for (; left > 1; left -= 2) {
        widen_pair(planes, plane, tinyc_load_s8x4(line), tinyc_load_s8x4(line + step));
        line += 2 * step;
        planes += TINYC_DEPTHWISE_LINES;
    }
    if (left > 0) {
        widen_pair(planes, plane, tinyc_load_s8x4(line), zeros);
        planes += TINYC_DEPTHWISE_LINES;
    }
    for (; planes < end; planes += TINYC_DEPTHWISE_LINES) {
        widen_pair(planes, plane, zeros, zeros);
    }
}
