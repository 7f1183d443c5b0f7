/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_fully_connected_s8.h"

/* Batches of input_dims->n rows of filter_dims->n values, one scale for all output channels. */
TINYC_FN(arm_fully_connected_s8)
arm_cmsis_nn_status tinyc_arm_fully_connected_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_fc_params *fc_params, const cmsis_nn_per_tensor_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)bias_dims;
    (void)ctx;
    tinyc_mat_mult_s8_params product = tinyc_fully_connected_product(
        fc_params, filter_dims, filter_data, bias_data, NULL, output_dims);
    product.multiplier = &quant_params->multiplier;
    product.shift = &quant_params->shift;
    tinyc_fully_connected_batches(
        &product, fc_params->filter_offset, input_dims->n, input_data, output_data);
    return ARM_CMSIS_NN_SUCCESS;
}
