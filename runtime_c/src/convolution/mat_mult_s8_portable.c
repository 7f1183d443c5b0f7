/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_mat_mult_s8.h"
#include "tinyc_requantize.h"
#include "tinyc_row_block.h"

/* An accumulator of a channel to its output. */
static int8_t finish(const tinyc_mat_mult_s8_params *params, int32_t acc, int32_t channel)
{
    const int32_t quant = channel * params->quant_step;
    return tinyc_requantize_to_s8(acc, params->multiplier[quant], params->shift[quant], params->dst_offset,
        params->dst_min, params->dst_max);
}

/* Two rows and two channels at a time: every value that is loaded serves two products. */
static void mat_mult_two_rows(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_stride,
    int8_t *dst, int32_t dst_stride)
{
    const int32_t depth = params->rhs_cols;
    const int32_t lhs_offset = params->lhs_offset;
    const int8_t *const lhs1 = lhs + lhs_stride;
    const int8_t *weights = params->rhs;

    for (int32_t channel = 0; channel < params->rhs_rows; channel += 2, weights += 2 * depth) {
        /* An odd last channel is computed twice. */
        const int32_t second = channel + 1 < params->rhs_rows ? 1 : 0;
        const int8_t *const weights1 = second != 0 ? weights + depth : weights;
        int32_t acc00 = 0;
        int32_t acc01 = 0;
        if (params->bias != NULL) {
            acc00 = params->bias[channel];
            acc01 = params->bias[channel + second];
        }
        int32_t acc10 = acc00;
        int32_t acc11 = acc01;
        for (int32_t k = 0; k < depth; ++k) {
            const int32_t x0 = lhs[k] + lhs_offset;
            const int32_t x1 = lhs1[k] + lhs_offset;
            const int32_t w0 = weights[k];
            const int32_t w1 = weights1[k];
            acc00 += x0 * w0;
            acc01 += x0 * w1;
            acc10 += x1 * w0;
            acc11 += x1 * w1;
        }
        int8_t *const out = dst + channel;
        out[0] = finish(params, acc00, channel);
        out[second] = finish(params, acc01, channel + second);
        out[dst_stride] = finish(params, acc10, channel);
        out[dst_stride + second] = finish(params, acc11, channel + second);
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
