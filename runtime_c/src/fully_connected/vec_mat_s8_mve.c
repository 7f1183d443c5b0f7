/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_dot_rows_mve.h"
#include "tinyc_mat_mult_s8.h"
#include "tinyc_mve.h"

#include <stddef.h>

/* Sum over k of (lhs[k] + lhs_offset) * weights[k]. */
static int32_t dot_product(const int8_t *lhs, const int8_t *weights, int32_t depth, int32_t lhs_offset)
{
    int32_t products = 0;
    int32_t sum = 0;
    for (int32_t left = depth; left > 0; left -= 16, lhs += 16, weights += 16) {
        const mve_pred16_t valid = vctp8q((uint32_t)left);
        const int8x16_t w = vldrbq_z_s8(weights, valid);
        products = vmladavaq_s8(products, vldrbq_z_s8(lhs, valid), w);
        sum = vaddvaq_s8(sum, w);
    }
    return products + sum * lhs_offset;
}

/* Products of lhs with four rows of weights, its zero point removed by lhs_offset. */
TINYC_INLINE int32x4_t four_dot_products(
    const int8_t *lhs, const int8_t *weights, int32_t depth, int32_t lhs_offset)
{
    int32_t products[4];
    if (lhs_offset == 0) {
        (void)tinyc_dot_4_rows_mve(products, weights, depth, lhs, depth);
    } else {
        for (int32_t row = 0; row < 4; ++row) {
            products[row] = dot_product(lhs, weights + row * depth, depth, lhs_offset);
        }
    }
    return vldrwq_s32(products);
}

TINYC_FN(vec_mat_s8)
void tinyc_vec_mat_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst)
{
    const int32_t depth = params->rhs_cols;
    /* Kernel sums hold the bias and the share of the zero point. */
    const int32_t *init = params->kernel_sum != NULL ? params->kernel_sum : params->bias;
    const int32_t lhs_offset = params->kernel_sum != NULL ? 0 : params->lhs_offset;
    const int8_t *weights = params->rhs;
    int32x4_t multiplier = vdupq_n_s32(params->multiplier[0]);
    int32x4_t shift = vdupq_n_s32(params->shift[0]);

    for (int32_t channel = 0; channel < params->rhs_rows; channel += 4, weights += 4 * depth) {
        const int32_t left = params->rhs_rows - channel;
        const mve_pred16_t valid = vctp32q((uint32_t)left);
        if (params->quant_step != 0) {
            multiplier = vldrwq_z_s32(params->multiplier + channel, valid);
            shift = vldrwq_z_s32(params->shift + channel, valid);
        }
        int32x4_t acc = vdupq_n_s32(params->addend);
        if (init != NULL) {
            acc = vaddq_s32(acc, vldrwq_z_s32(init + channel, valid));
        }
        if (left >= 4) {
            acc = vaddq_s32(acc, four_dot_products(lhs, weights, depth, lhs_offset));
        } else {
            int32_t products[4] = {0, 0, 0, 0};
            for (int32_t lane = 0; lane < left; ++lane) {
                products[lane] = dot_product(lhs, weights + lane * depth, depth, lhs_offset);
            }
            acc = vaddq_s32(acc, vldrwq_s32(products));
        }
        acc = tinyc_requantize_mve(
            acc, multiplier, shift, params->dst_offset, params->dst_min, params->dst_max);
        vstrbq_p_s32(dst + channel, acc, valid);
    }
}
