/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"
#include "tinyc_pack_s8_dsp.h"
#include "tinyc_requantize.h"
#include "tinyc_instructions_dsp.h"

/*
 * The parameters with the roundings folded in. Rounding half away from zero wants a correction by -1 for negative
 * quotients; the sign of the dividend serves as well, since a quotient of zero stays zero either way.
 */
typedef struct {
    int32_t a_scale, a_term;
    int32_t b_scale, b_term, b_mult, b_half, b_right;
    int32_t out_mult, out_half, out_right;
} folded;

TINYC_INLINE int32_t add(const folded *f, int32_t a, int32_t b)
{
    const int32_t t = b * f->b_scale + f->b_term;
    const int32_t y = (tinyc_smmlar(t, f->b_mult, f->b_half) + (t >> 31)) >> f->b_right;
    const int32_t twice_sum = a * f->a_scale + (f->a_term + 2 * y);
    return (tinyc_smmlar(twice_sum, f->out_mult, f->out_half) + (twice_sum >> 31)) >> f->out_right;
}

TINYC_FN(add_s8)
void tinyc_add_s8(const tinyc_add_s8_params *params, const int8_t *a, const int8_t *b, int8_t *out, int32_t count)
{
    const folded f = {
        .a_scale = params->a_scale,
        .a_term = params->a_term,
        .b_scale = params->b_scale,
        .b_term = params->b_offset * params->b_scale,
        .b_mult = params->b_mult,
        .b_half = (int32_t)1 << (params->b_right - 1),
        .b_right = params->b_right,
        .out_mult = params->out_mult,
        .out_half = params->out_offset * ((int32_t)1 << params->out_right) + ((int32_t)1 << (params->out_right - 1)),
        .out_right = params->out_right,
    };
    const int8x4_t lowest = tinyc_splat_s8x4(params->out_min);
    const int8x4_t highest = tinyc_splat_s8x4(params->out_max);
    for (; count >= 4; count -= 4) {
        const int32_t r0 = add(&f, a[0], b[0]);
        const int32_t r1 = add(&f, a[1], b[1]);
        const int32_t r2 = add(&f, a[2], b[2]);
        const int32_t r3 = add(&f, a[3], b[3]);
        tinyc_write_s8x4(out, tinyc_limit_s8x4(tinyc_pack_s8x4(r0, r1, r2, r3), lowest, highest));
        a += 4;
        b += 4;
        out += 4;
    }
    for (; count > 0; count--) {
        *out++ = (int8_t)tinyc_clamp_s32(add(&f, *a++, *b++), params->out_min, params->out_max);
    }
}
