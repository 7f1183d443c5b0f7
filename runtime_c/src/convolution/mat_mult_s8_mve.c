/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_mat_mult_s8.h"
#include "tinyc_mve.h"
#include "tinyc_row_block.h"

/* Four rows at a time: every vector of weights that is loaded, and its sum, serves all four. */
static void mat_mult_four_rows(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_stride,
    int8_t *dst, int32_t dst_stride)
{
    const int32_t depth = params->rhs_cols;
    const int8_t *weights = params->rhs;
    const uint32x4_t rows = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)dst_stride);

    for (int32_t channel = 0; channel < params->rhs_rows; ++channel) {
        const int8_t *row0 = lhs;
        const int8_t *row3 = lhs + 3 * lhs_stride;
        int32_t acc0 = 0;
        int32_t acc1 = 0;
        int32_t acc2 = 0;
        int32_t acc3 = 0;
        int32_t sum = 0;
        const int8_t *w = weights;
        for (int32_t left = depth; left > 0; left -= 16) {
            const mve_pred16_t valid = vctp8q((uint32_t)left);
            const int8x16_t vector = vldrbq_z_s8(w, valid);
            w += 16;
            sum = vaddvaq_s8(sum, vector);
            acc1 = vmladavaq_s8(acc1, vector, vldrbq_z_s8(row0 + lhs_stride, valid));
            acc2 = vmladavaq_s8(acc2, vector, vldrbq_z_s8(row0 + 2 * lhs_stride, valid));
            acc0 = vmladavaq_s8(acc0, vector, vldrbq_z_s8(row0, valid));
            row0 += 16;
            acc3 = vmladavaq_s8(acc3, vector, vldrbq_z_s8(row3, valid));
            row3 += 16;
        }
        weights += depth;

        const int32_t common = sum * params->lhs_offset + (params->bias != NULL ? params->bias[channel] : 0);
        const int32_t quant = channel * params->quant_step;
        const int32x4_t acc = {acc0, acc1, acc2, acc3};
        const int32x4_t result = tinyc_requantize_mve(vaddq_n_s32(acc, common),
            vdupq_n_s32(params->multiplier[quant]), vdupq_n_s32(params->shift[quant]), params->dst_offset,
            params->dst_min, params->dst_max);
        vstrbq_scatter_offset_s32(dst + channel, rows, result);
    }
}

TINYC_FN(mat_mult_s8)
void tinyc_mat_mult_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_rows,
    int32_t lhs_stride, int8_t *dst, int32_t dst_stride)
{
    int8_t buffer[TINYC_ROW_BUFFER_BYTES];
    while (lhs_rows > 0) {
        const tinyc_row_block block = tinyc_take_rows(params, lhs, lhs_rows, lhs_stride, dst, 4, buffer);
        if (block.rows == 4) {
            mat_mult_four_rows(params, block.data, block.stride, dst, dst_stride);
        } else {
            for (int32_t row = 0; row < block.rows; ++row) {
                tinyc_vec_mat_s8(params, block.data + row * block.stride, dst + row * dst_stride);
            }
        }
        lhs += block.rows * lhs_stride;
        dst += block.rows * dst_stride;
        lhs_rows -= block.rows;
    }
}
