/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_dsp.h"
#include "tinyc_mat_mult_s8.h"

/* acc plus the product of four weights with four widened activations. */
TINYC_INLINE int32_t multiply_4(const int8_t *weights, int16x2_t x_even, int16x2_t x_odd, int32_t acc)
{
    const int8x4_t word = tinyc_load_s8x4(weights);
    acc = __smlad(__sxtb16(word), x_even, acc);
    return __smlad(tinyc_sxtb16_ror8(word), x_odd, acc);
}

static int8_t finish(const tinyc_mat_mult_s8_params *params, int32_t acc, int32_t channel)
{
    const int32_t quant = channel * params->quant_step;
    return tinyc_requantize_to_s8_dsp(acc, params->multiplier[quant], params->shift[quant],
        params->dst_offset, params->dst_min, params->dst_max);
}

/* Four channels at a time: every activation that is loaded and widened serves four weights. */
TINYC_FN(vec_mat_s8)
void tinyc_vec_mat_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst)
{
    const int32_t depth = params->rhs_cols;
    const int32_t channels = params->rhs_rows;
    const int32_t lhs_offset = params->lhs_offset;
    const int16x2_t offsets = tinyc_dup_s16x2(lhs_offset);
    const int8_t *weights = params->rhs;
    const int8_t *const words_end = lhs + (depth & ~3);
    const int8_t *const end = lhs + depth;
    const int32_t *bias = params->bias;
    int32_t channel = 0;

    for (; channel + 3 < channels; channel += 4) {
        const int8_t *x = lhs;
        const int8_t *w = weights;
        const int8_t *w3 = weights + 3 * depth;
        int32_t acc0 = params->addend;
        int32_t acc1 = acc0;
        int32_t acc2 = acc0;
        int32_t acc3 = acc0;
        if (bias != NULL) {
            acc0 += bias[channel];
            acc1 += bias[channel + 1];
            acc2 += bias[channel + 2];
            acc3 += bias[channel + 3];
        }
        while (x != words_end) {
            const int8x4_t word = tinyc_load_s8x4(x);
            const int16x2_t x_even = __sxtab16(offsets, word);
            const int16x2_t x_odd = tinyc_sxtab16_ror8(offsets, word);
            x += 4;
            acc1 = multiply_4(w + depth, x_even, x_odd, acc1);
            acc2 = multiply_4(w + 2 * depth, x_even, x_odd, acc2);
            acc0 = multiply_4(w, x_even, x_odd, acc0);
            w += 4;
            acc3 = multiply_4(w3, x_even, x_odd, acc3);
            w3 += 4;
        }
        while (x != end) {
            const int32_t activation = *x++ + lhs_offset;
            acc1 += activation * w[depth];
            acc2 += activation * w[2 * depth];
            acc0 += activation * *w++;
            acc3 += activation * *w3++;
        }
        weights = w3;
        dst[channel] = finish(params, acc0, channel);
        dst[channel + 1] = finish(params, acc1, channel + 1);
        dst[channel + 2] = finish(params, acc2, channel + 2);
        dst[channel + 3] = finish(params, acc3, channel + 3);
    }
    for (; channel < channels; ++channel) {
        const int8_t *x = lhs;
        int32_t acc = params->addend + (bias != NULL ? bias[channel] : 0);
        for (; x != words_end; x += 4, weights += 4) {
            const int8x4_t word = tinyc_load_s8x4(x);
            acc = multiply_4(weights, __sxtab16(offsets, word), tinyc_sxtab16_ror8(offsets, word), acc);
        }
        while (x != end) {
            acc += (*x++ + lhs_offset) * *weights++;
        }
        dst[channel] = finish(params, acc, channel);
    }
}
