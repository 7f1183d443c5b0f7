/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_dot_rows_mve.h"
#include "tinyc_mat_mult_s8.h"
#include "tinyc_mve.h"
#include "tinyc_row_block.h"

/*
 * Four rows at a time: every vector of weights that is loaded, and its sum, serves all four. With strides 0
 * that is one row, computed and stored four times.
 */
static void mat_mult_four_rows(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_stride,
    int8_t *dst, int32_t dst_stride)
{
    const int32_t depth = params->rhs_cols;
    const int32_t step = params->quant_step;
    const int32_t lhs_offset = params->lhs_offset;
    const int32_t dst_offset = params->dst_offset;
    const int32_t lowest = params->dst_min;
    const int32_t highest = params->dst_max;
    const int32_t *bias = params->bias;
    const int32_t *multiplier = params->multiplier;
    const int32_t *shift = params->shift;
    const int8_t *weights = params->rhs;
    const int8_t *const end = dst + params->rhs_rows;
    const uint32x4_t rows = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)dst_stride);

    for (; dst != end; ++dst, weights += depth) {
        int32_t acc[4];
        const int32_t sum = tinyc_dot_4_rows_mve(acc, lhs, lhs_stride, weights, depth);
        const int32_t init = sum * lhs_offset + (bias != NULL ? *bias++ : 0);
        const int32x4_t result = tinyc_requantize_n_mve(
            vaddq_n_s32(vldrwq_s32(acc), init), *multiplier, *shift, dst_offset, lowest, highest);
        vstrbq_scatter_offset_s32(dst, rows, result);
        multiplier += step;
        shift += step;
    }
}

/*
 * Five rows at a time, where four would leave one that costs as much as four: images of few pixels a row, as
 * they come when layers run row by row.
 */
static void mat_mult_five_rows(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_stride,
    int8_t *dst, int32_t dst_stride)
{
    const int32_t depth = params->rhs_cols;
    const int32_t step = params->quant_step;
    const int32_t lhs_offset = params->lhs_offset;
    const int32_t dst_offset = params->dst_offset;
    const int32_t lowest = params->dst_min;
    const int32_t highest = params->dst_max;
    const int32_t *bias = params->bias;
    const int32_t *multiplier = params->multiplier;
    const int32_t *shift = params->shift;
    const int8_t *weights = params->rhs;
    const int8_t *const end = dst + params->rhs_rows;
    const uint32x4_t rows = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)dst_stride);

    for (; dst != end; ++dst, weights += depth) {
        int32_t acc[5];
        const int32_t sum = tinyc_dot_5_rows_mve(acc, lhs, lhs_stride, weights, depth);
        const int32_t init = sum * lhs_offset + (bias != NULL ? *bias++ : 0);
        const int32x4_t result = tinyc_requantize_n_mve(
            vaddq_n_s32(vldrwq_s32(acc), init), *multiplier, *shift, dst_offset, lowest, highest);
        const int32x4_t last = tinyc_requantize_n_mve(
            vdupq_n_s32(acc[4] + init), *multiplier, *shift, dst_offset, lowest, highest);
        vstrbq_scatter_offset_s32(dst, rows, result);
        dst[4 * dst_stride] = (int8_t)vgetq_lane_s32(last, 0);
        multiplier += step;
        shift += step;
    }
}

/* A function of its own, so that only results that lie on rows cost the stack a buffer. */
static __attribute__((noinline)) void mat_mult_over_rows(const tinyc_mat_mult_s8_params *params,
    const int8_t *lhs, int32_t lhs_rows, int32_t lhs_stride, int8_t *dst, int32_t dst_stride)
{
    int8_t buffer[TINYC_ROW_BUFFER_BYTES];
    while (lhs_rows > 0) {
        const int32_t most = lhs_rows == 5 ? 5 : lhs_rows >= 4 ? 4 : 1;
        tinyc_row_block block = tinyc_take_rows(params, lhs, lhs_rows, lhs_stride, dst, most, buffer);
        if (block.rows == 5) {
            mat_mult_five_rows(params, block.data, block.stride, dst, dst_stride);
        } else if (block.rows == 4) {
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

TINYC_FN(mat_mult_s8)
void tinyc_mat_mult_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_rows,
    int32_t lhs_stride, int8_t *dst, int32_t dst_stride)
{
    if (tinyc_rows_overlap(params, lhs, lhs_rows, lhs_stride, dst, dst_stride)) {
        mat_mult_over_rows(params, lhs, lhs_rows, lhs_stride, dst, dst_stride);
        return;
    }
    for (; lhs_rows >= 4 && lhs_rows != 5; lhs_rows -= 4) {
        mat_mult_four_rows(params, lhs, lhs_stride, dst, dst_stride);
        lhs += 4 * lhs_stride;
        dst += 4 * dst_stride;
    }
    if (lhs_rows == 5) {
        mat_mult_five_rows(params, lhs, lhs_stride, dst, dst_stride);
        return;
    }
    for (; lhs_rows > 0; --lhs_rows) {
        tinyc_vec_mat_s8(params, lhs, dst);
        lhs += lhs_stride;
        dst += dst_stride;
    }
}
