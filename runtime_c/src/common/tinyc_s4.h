/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of 4 bits, as CMSIS-NN packs them: two's complement, two weights a byte, the first in the low half, without
 * gaps, so that a row of odd length ends, and the next one begins, in the middle of a byte.
 */
#ifndef TINYC_S4_H
#define TINYC_S4_H

#include "tinyc_mat_mult_s8.h"
#include "tinyc_nn.h"

#define tinyc_vec_mat_s4 tinyc1_vec_mat_s4

/* tinyc_vec_mat_s8 with packed filters in rhs. addend must be 0; kernel_sum is not read. One for each instruction set. */
void tinyc_vec_mat_s4(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst);

TINYC_INLINE int32_t tinyc_low_s4(int8_t byte)
{
    return ((byte & 15) ^ 8) - 8;
}

TINYC_INLINE int32_t tinyc_high_s4(int8_t byte)
{
    return byte >> 4;
}

/* What a convolution multiplies its columns of depth values by. */
TINYC_INLINE tinyc_mat_mult_s8_params tinyc_convolution_product_s4(const cmsis_nn_conv_params *conv_params,
    const cmsis_nn_per_channel_quant_params *quant_params, const int8_t *filter_data, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int32_t depth)
{
    const tinyc_mat_mult_s8_params product = {
        .rhs = filter_data,
        .bias = bias_data,
        .multiplier = quant_params->multiplier,
        .shift = quant_params->shift,
        .quant_step = 1,
        .rhs_rows = output_dims->c,
        .rhs_cols = depth,
        .lhs_offset = conv_params->input_offset,
        .dst_offset = conv_params->output_offset,
        .dst_min = conv_params->activation.min,
        .dst_max = conv_params->activation.max,
    };
    return product;
}

#endif /* TINYC_S4_H */
