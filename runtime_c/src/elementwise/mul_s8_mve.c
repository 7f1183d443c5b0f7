/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"

#include <arm_mve.h>

/* Four elements at a time in 32 bits; the rounding is explained in add_s8_mve.c. */
TINYC_FN(mul_s8)
void tinyc_mul_s8(const tinyc_mul_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count)
{
    const tinyc_mul_s8_params p = *params;
    const int32x4_t lowest = vdupq_n_s32(p.out_min), highest = vdupq_n_s32(p.out_max);
    for (; count > 0; count -= 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)count);
        int32x4_t x = vaddq_n_s32(vldrbq_z_s32(a, lanes), p.a_offset);
        x = vmulq_s32(x, vaddq_n_s32(vldrbq_z_s32(b, lanes), p.b_offset));
        x = vaddq_s32(vqrdmulhq_n_s32(x, p.mult), vshrq_n_s32(x, 31));
        x = vaddq_n_s32(vrshlq_n_s32(x, -p.right), p.out_offset);
        vstrbq_p_s32(out, vminq_s32(vmaxq_s32(x, lowest), highest), lanes);
        a += 4;
        b += 4;
        out += 4;
    }
}
