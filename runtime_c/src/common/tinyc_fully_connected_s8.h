/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fully connected functions share.
 *
 * Context, as in CMSIS-NN v7:
 *   portable, DSP  ctx->buf is not read; get_buffer_size is 0.
 *   Helium         ctx->buf points to int32_t kernel_sum[output channels], which the caller fills before the
 *                  call and which may be constant:
 *                      kernel_sum[c] = bias[c]
 *                          + input_offset * (sum over k of filter[c][k] + depth * filter_offset),
 *                  bias[c] being 0 without bias. That is what arm_vector_sum_s8(kernel_sum, depth, channels,
 *                  filter, input_offset, filter_offset, bias) writes. bias_data is not read. The functions
 *                  return ARM_CMSIS_NN_ARG_ERROR where ctx->buf is NULL.
 */
#ifndef TINYC_FULLY_CONNECTED_S8_H
#define TINYC_FULLY_CONNECTED_S8_H

#include "tinyc_mat_mult_s8.h"
#include "tinyc_nn.h"

#include <stddef.h>

/* Everything about the product but the requantization; kernel_sum is NULL except on Helium. */
TINYC_INLINE tinyc_mat_mult_s8_params tinyc_fully_connected_product(const cmsis_nn_fc_params *fc_params,
    const cmsis_nn_dims *filter_dims, const int8_t *filter_data, const int32_t *bias_data,
    const int32_t *kernel_sum, const cmsis_nn_dims *output_dims)
{
    const tinyc_mat_mult_s8_params product = {
        .rhs = filter_data,
        .bias = bias_data,
        .kernel_sum = kernel_sum,
        .rhs_rows = output_dims->c,
        .rhs_cols = filter_dims->n,
        .lhs_offset = fc_params->input_offset,
        .dst_offset = fc_params->output_offset,
        .dst_min = fc_params->activation.min,
        .dst_max = fc_params->activation.max,
    };
    return product;
}

/*
 * All batches. A zero point of the filters adds the same to every channel: filter_offset times the sum of the
 * activations, their zero point removed unless kernel_sum already accounts for it.
 */
TINYC_INLINE void tinyc_fully_connected_batches(tinyc_mat_mult_s8_params *product, int32_t filter_offset,
    int32_t batches, const int8_t *input, int8_t *output)
{
    const int32_t depth = product->rhs_cols;
    for (int32_t batch = 0; batch < batches; ++batch) {
        if (filter_offset != 0) {
            int32_t sum = product->kernel_sum != NULL ? 0 : depth * product->lhs_offset;
            for (int32_t k = 0; k < depth; ++k) {
                sum += input[k];
            }
            product->addend = sum * filter_offset;
        }
        tinyc_vec_mat_s8(product, input, output);
        input += depth;
        output += product->rhs_rows;
    }
}

#endif /* TINYC_FULLY_CONNECTED_S8_H */
