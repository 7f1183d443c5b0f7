/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_mat_mult_s8.h"
#include "tinyc_requantize.h"
#include "tinyc_row_block.h"

/* Two rows at a time: every weight that is loaded serves both. */
static void mat_mult_two_rows(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_stride,
    int8_t *dst, int32_t dst_stride)
{
    const int32_t depth = params->rhs_cols;
    const int32_t lhs_offset = params->lhs_offset;
    const int8_t *weights = params->rhs;
    const int32_t *bias = params->bias;
    const int32_t *multiplier = params->multiplier;
    const int32_t *shift = params->shift;

    for (int32_t channel = 0; channel < params->rhs_rows; ++channel) {
        const int8_t *row0 = lhs;
        const int8_t *row1 = lhs + lhs_stride;
        const int8_t *const end = weights + depth;
        int32_t acc0 = bias != NULL ? *bias++ : 0;
        int32_t acc1 = acc0;
        while (weights != end) {
            const int32_t weight = *weights++;
            acc0 += (*row0++ + lhs_offset) * weight;
            acc1 += (*row1++ + lhs_offset) * weight;
        }
        dst[channel] = tinyc_requantize_to_s8(
            acc0, *multiplier, *shift, params->dst_offset, params->dst_min, params->dst_max);
        dst[channel + dst_stride] = tinyc_requantize_to_s8(
            acc1, *multiplier, *shift, params->dst_offset, params->dst_min, params->dst_max);
        multiplier += params->quant_step;
        shift += params->quant_step;
    }
}

TINYC_FN(mat_mult_s8)
void tinyc_mat_mult_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_rows,
    int32_t lhs_stride, int8_t *dst, int32_t dst_stride)
{
    int8_t buffer[TINYC_ROW_BUFFER_BYTES];
    while (lhs_rows > 0) {
        const tinyc_row_block block = tinyc_take_rows(params, lhs, lhs_rows, lhs_stride, dst, 2, buffer);
        if (block.rows == 2) {
            mat_mult_two_rows(params, block.data, block.stride, dst, dst_stride);
        } else {
            tinyc_vec_mat_s8(params, block.data, dst);
        }
        lhs += block.rows * lhs_stride;
        dst += block.rows * dst_stride;
        lhs_rows -= block.rows;
    }
}
