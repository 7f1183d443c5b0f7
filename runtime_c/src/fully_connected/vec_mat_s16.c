/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s16.h"

static int16_t finish(const tinyc_mat_mult_s16_params *params, int64_t acc, int32_t channel)
{
    const int32_t quant = channel * params->quant_step;
    const int32_t multiplier = params->multiplier[quant];
    const int32_t shift = params->shift[quant];
    if (params->narrow == 0) {
        acc += params->bias != NULL ? params->bias[channel] : 0;
        return tinyc_requantize_to_s16(acc, multiplier, shift, params->dst_min, params->dst_max);
    }
    const int32_t sum = (int32_t)acc + (params->narrow_bias != NULL ? params->narrow_bias[channel] : 0);
    return (int16_t)tinyc_clamp_s32(tinyc_requantize(sum, multiplier, shift), params->dst_min, params->dst_max);
}

TINYC_FN(vec_mat_s16)
void tinyc_vec_mat_s16(const tinyc_mat_mult_s16_params *params, const int16_t *lhs, int16_t *dst)
{
    const int32_t depth = params->rhs_cols;
    for (int32_t channel = 0; channel < params->rhs_rows; channel += 2) {
        /* A last single row is taken twice. */
        const int32_t second = channel + 1 < params->rhs_rows ? depth : 0;
        int64_t acc[2] = {0, 0};
        tinyc_dot_2_rows_s16(acc, lhs, params->rhs + channel * depth, second, depth);
        dst[channel] = finish(params, acc[0], channel);
        if (channel + 1 < params->rhs_rows) {
            dst[channel + 1] = finish(params, acc[1], channel + 1);
        }
    }
}
