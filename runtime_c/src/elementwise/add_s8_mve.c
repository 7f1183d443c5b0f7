/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"

#include <arm_mve.h>
#include <stdbool.h>

/*
 * Four elements at a time in 32 bits. VQRDMULH doubles its product, so half of the scales goes in. VRSHL rounds
 * halves upwards; one less for negative dividends makes that away from zero, and leaves a quotient of zero alone.
 */
/* Four elements, or the lanes of them. `partial` is a constant, so that whole vectors are not predicated. */
TINYC_INLINE void add_four(const tinyc_add_s8_params *p, const int8_t *a, const int8_t *b, int8_t *out, bool partial,
    mve_pred16_t lanes)
{
    int32x4_t x = partial ? vldrbq_z_s32(b, lanes) : vldrbq_s32(b);
    const int32x4_t y = partial ? vldrbq_z_s32(a, lanes) : vldrbq_s32(a);
    x = vmlasq_n_s32(x, vdupq_n_s32(p->b_scale / 2), p->b_offset * (p->b_scale / 2));
    x = vaddq_s32(vqrdmulhq_n_s32(x, p->b_mult), vshrq_n_s32(x, 31));
    x = vaddq_n_s32(vrshlq_n_s32(x, -p->b_right), p->a_term / 2);
    x = vmlaq_n_s32(x, y, p->a_scale / 2);
    x = vaddq_s32(vqrdmulhq_n_s32(x, p->out_mult), vshrq_n_s32(x, 31));
    x = vaddq_n_s32(vrshlq_n_s32(x, -p->out_right), p->out_offset);
    x = vminq_s32(vmaxq_s32(x, vdupq_n_s32(p->out_min)), vdupq_n_s32(p->out_max));
    if (partial) {
        vstrbq_p_s32(out, x, lanes);
    } else {
        vstrbq_s32(out, x);
    }
}

TINYC_FN(add_s8)
void tinyc_add_s8(const tinyc_add_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count)
{
    const tinyc_add_s8_params p = *params;
    for (; count >= 4; count -= 4) {
        add_four(&p, a, b, out, false, 0);
        a += 4;
        b += 4;
        out += 4;
    }
    if (count > 0) {
        add_four(&p, a, b, out, true, vctp32q((uint32_t)count));
    }
}
