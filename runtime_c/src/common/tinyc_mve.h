/* SPDX-License-Identifier: Apache-2.0 */
/* Building blocks for cores with Helium: requantization of four accumulators at a time. */
#ifndef TINYC_MVE_H
#define TINYC_MVE_H

#include "tinyc_requantize.h"

#include <arm_mve.h>

/*
 * tinyc_requantize_to_s8 of four lanes, as int32. vqrdmulh rounds half upwards, vrshl likewise; half away from
 * zero needs negative values lowered by one first, where anything is shifted out at all.
 */
TINYC_INLINE int32x4_t tinyc_requantize_mve(int32x4_t acc, int32x4_t multiplier, int32x4_t shift,
    int32_t offset, int32_t lowest, int32_t highest)
{
    const int32x4_t zero = vdupq_n_s32(0);
    const int32x4_t right = vminq_s32(shift, zero);
    int32x4_t value = vqrdmulhq_s32(vshlq_s32(acc, vmaxq_s32(shift, zero)), multiplier);
    const int32x4_t fixup = vshrq_n_s32(vandq_s32(value, right), 31);
    value = vrshlq_s32(vqaddq_s32(value, fixup), right);
    value = vaddq_n_s32(value, offset);
    return vminq_s32(vmaxq_s32(value, vdupq_n_s32(lowest)), vdupq_n_s32(highest));
}

/* The same where all lanes share multiplier and shift. */
TINYC_INLINE int32x4_t tinyc_requantize_n_mve(
    int32x4_t acc, int32_t multiplier, int32_t shift, int32_t offset, int32_t lowest, int32_t highest)
{
    int32x4_t value;
    if (shift < 0) {
        value = vqrdmulhq_n_s32(acc, multiplier);
        value = vrshlq_n_s32(vqaddq_s32(value, vshrq_n_s32(value, 31)), shift);
    } else {
        value = vqrdmulhq_n_s32(vshlq_r_s32(acc, shift), multiplier);
    }
    value = vaddq_n_s32(value, offset);
    return vminq_s32(vmaxq_s32(value, vdupq_n_s32(lowest)), vdupq_n_s32(highest));
}

#endif /* TINYC_MVE_H */
