/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_mat_mult_s8.h"
#include "tinyc_requantize.h"

#include <stddef.h>

static int8_t finish(const tinyc_mat_mult_s8_params *params, int32_t acc, int32_t channel)
{
    const int32_t quant = channel * params->quant_step;
    return tinyc_requantize_to_s8(acc, params->multiplier[quant], params->shift[quant], params->dst_offset,
        params->dst_min, params->dst_max);
}

/* Four channels at a time: every activation that is loaded serves all four. */
TINYC_FN(vec_mat_s8)
void tinyc_vec_mat_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst)
{
    const int32_t depth = params->rhs_cols;
    const int32_t channels = params->rhs_rows;
    const int32_t lhs_offset = params->lhs_offset;
    const int32_t *const bias = params->bias;
    const int8_t *weights = params->rhs;
    int32_t channel = 0;

    for (; channel + 3 < channels; channel += 4) {
        const int8_t *const weights1 = weights + depth;
        const int8_t *const weights2 = weights1 + depth;
        const int8_t *const weights3 = weights2 + depth;
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
        for (int32_t k = 0; k < depth; ++k) {
            const int32_t activation = lhs[k] + lhs_offset;
            acc0 += activation * weights[k];
            acc1 += activation * weights1[k];
            acc2 += activation * weights2[k];
            acc3 += activation * weights3[k];
        }
        weights = weights3 + depth;
        dst[channel] = finish(params, acc0, channel);
        dst[channel + 1] = finish(params, acc1, channel + 1);
        dst[channel + 2] = finish(params, acc2, channel + 2);
        dst[channel + 3] = finish(params, acc3, channel + 3);
    }
    for (; channel < channels; ++channel, weights += depth) {
        int32_t acc = params->addend + (bias != NULL ? bias[channel] : 0);
        for (int32_t k = 0; k < depth; ++k) {
            acc += (lhs[k] + lhs_offset) * weights[k];
        }
        dst[channel] = finish(params, acc, channel);
    }
}
