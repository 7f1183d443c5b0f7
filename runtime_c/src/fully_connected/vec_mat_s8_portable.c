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

/* Two channels at a time: every activation that is loaded serves both. */
TINYC_FN(vec_mat_s8)
void tinyc_vec_mat_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst)
{
    const int32_t depth = params->rhs_cols;
    const int32_t channels = params->rhs_rows;
    const int32_t lhs_offset = params->lhs_offset;
    const int8_t *weights = params->rhs;
    const int32_t *bias = params->bias;
    int32_t channel = 0;

    for (; channel + 1 < channels; channel += 2) {
        const int8_t *weights1 = weights + depth;
        const int8_t *const end = weights1;
        const int8_t *x = lhs;
        int32_t acc0 = params->addend;
        int32_t acc1 = params->addend;
        if (bias != NULL) {
            acc0 += bias[channel];
            acc1 += bias[channel + 1];
        }
        while (weights != end) {
            const int32_t activation = *x++ + lhs_offset;
            acc0 += activation * *weights++;
            acc1 += activation * *weights1++;
        }
        weights = weights1;
        dst[channel] = finish(params, acc0, channel);
        dst[channel + 1] = finish(params, acc1, channel + 1);
    }
    if (channel < channels) {
        int32_t acc = params->addend + (bias != NULL ? bias[channel] : 0);
        for (int32_t k = 0; k < depth; ++k) {
            acc += (lhs[k] + lhs_offset) * weights[k];
        }
        dst[channel] = finish(params, acc, channel);
    }
}
