/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_dot_rows_dsp.h"
#include "tinyc_dsp.h"
#include "tinyc_mat_mult_s8.h"

/* The same sum for one row. */
static int32_t dot_1_row(
    const int8_t *x, const int8_t *weights, int32_t depth, int32_t lhs_offset)
{
    const int16x2_t offsets = tinyc_dup_s16x2(lhs_offset);
    int32_t acc = 0;
    for (; depth >= 4; depth -= 4, x += 4, weights += 4) {
        const int8x4_t activations = tinyc_load_s8x4(x);
        const int8x4_t word = tinyc_load_s8x4(weights);
        acc = __smlad(__sxtb16(word), __sxtab16(offsets, activations), acc);
        acc = __smlad(tinyc_sxtb16_ror8(word), tinyc_sxtab16_ror8(offsets, activations), acc);
    }
    for (; depth > 0; --depth) {
        acc += (*x++ + lhs_offset) * *weights++;
    }
    return acc;
}

/* Four values, step elements apart. */
TINYC_INLINE tinyc_s32x4 load_s32x4(const int32_t *source, int32_t step)
{
    const tinyc_s32x4 loaded = {source[0], source[step], source[2 * step], source[3 * step]};
    return loaded;
}

TINYC_FN(vec_mat_s8)
void tinyc_vec_mat_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst)
{
    const tinyc_output_stage stage =
        tinyc_prepare_output(params->dst_offset, params->dst_min, params->dst_max);
    const int32_t depth = params->rhs_cols;
    const int32_t step = params->quant_step;
    const int32_t addend = params->addend;
    const int8_t *weights = params->rhs;
    const int32_t *bias = params->bias;
    const int32_t *multiplier = params->multiplier;
    const int32_t *shift = params->shift;
    int32_t left = params->rhs_rows;

    for (; left >= 4; left -= 4) {
        int32_t acc[4] = {addend, addend, addend, addend};
        if (bias != NULL) {
            for (int32_t row = 0; row < 4; ++row) {
                acc[row] += bias[row];
            }
            bias += 4;
        }
        tinyc_dot_4_rows_dsp(acc, lhs, weights, depth, params->lhs_offset);
        weights += 4 * depth;
        const uint32_t bytes =
            tinyc_requantize_s8x4(load_s32x4(acc, 1), load_s32x4(multiplier, step), load_s32x4(shift, step), &stage);
        memcpy(dst, &bytes, sizeof bytes);
        dst += 4;
        multiplier += 4 * step;
        shift += 4 * step;
    }
    for (; left > 0; --left) {
        int32_t acc = addend + dot_1_row(lhs, weights, depth, params->lhs_offset);
        weights += depth;
        if (bias != NULL) {
            acc += *bias++;
        }
        *dst++ = tinyc_requantize_s8_dsp(acc, *multiplier, *shift, &stage);
        multiplier += step;
        shift += step;
    }
}
