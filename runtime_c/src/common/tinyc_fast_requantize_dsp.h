/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requantization in four instructions on cores with the DSP extension, the same bits as the specification's two
 * roundings (tinyc_requantize); tinyc_fast_requantize_asm.h has it for assembly. What the caller prepares:
 *
 *   twice_acc   2 * accumulator: double the weights and the bias. It must fit, so |accumulator| < 2^30.
 *   multiplier  Q31, not negative
 *   right       minus the shift, in [1, 22]
 *   half        (2 * output zero point + 1) * 2^(right - 1): half a step and the zero point, in front of the shift
 *
 * SMMLAR rounds the doubled product half upwards, as the specification's first rounding does, and adds `half`. The
 * second one rounds halves away from zero: half upwards, once negative values are lowered by one. The sign of the
 * accumulator serves for that, because a value of zero stays zero when it is lowered. The result saturates at int8.
 */
#ifndef TINYC_FAST_REQUANTIZE_DSP_H
#define TINYC_FAST_REQUANTIZE_DSP_H

#include "tinyc_instructions_dsp.h"

TINYC_INLINE int32_t tinyc_fast_requantize_half(int32_t output_zero_point, int32_t right)
{
    return (2 * output_zero_point + 1) * ((int32_t)1 << (right - 1));
}

TINYC_INLINE int32_t tinyc_fast_requantize(int32_t twice_acc, int32_t multiplier, int32_t half, int32_t right)
{
    return tinyc_ssat8((tinyc_smmlar(twice_acc, multiplier, half) + (twice_acc >> 31)) >> right);
}

#endif /* TINYC_FAST_REQUANTIZE_DSP_H */
