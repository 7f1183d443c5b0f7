/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"

#include <arm_mve.h>

/*
 * Four elements at a time in 32 bits. VQRDMULH doubles its product, so half of the scales goes in. VRSHL rounds
 * halves upwards; one less for negative dividends makes that away from zero, and leaves a quotient of zero alone.
 */
TINYC_FN(add_s8)
void tinyc_add_s8(const tinyc_add_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count)
{
    const tinyc_add_s8_params p = *params;
    const int32_t a_scale = p.a_scale / 2, a_term = p.a_term / 2, b_scale = p.b_scale / 2;
    const int32x4_t lowest = vdupq_n_s32(p.out_min), highest = vdupq_n_s32(p.out_max);
    for (; count > 0; count -= 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)count);
        int32x4_t x = vmulq_n_s32(vaddq_n_s32(vldrbq_z_s32(b, lanes), p.b_offset), b_scale);
        x = vaddq_s32(vqrdmulhq_n_s32(x, p.b_mult), vshrq_n_s32(x, 31));
        x = vaddq_n_s32(vrshlq_n_s32(x, -p.b_right), a_term);
        x = vaddq_s32(x, vmulq_n_s32(vldrbq_z_s32(a, lanes), a_scale));
        x = vaddq_s32(vqrdmulhq_n_s32(x, p.out_mult), vshrq_n_s32(x, 31));
        x = vaddq_n_s32(vrshlq_n_s32(x, -p.out_right), p.out_offset);
        vstrbq_p_s32(out, vminq_s32(vmaxq_s32(x, lowest), highest), lanes);
        a += 4;
        b += 4;
        out += 4;
    }
}
