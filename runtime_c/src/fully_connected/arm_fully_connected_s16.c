/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s16.h"

/* One multiplier for all channels; offsets are not read: int16 has no zero points. */
TINYC_FN(arm_fully_connected_s16)
arm_cmsis_nn_status tinyc_arm_fully_connected_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_fc_params *fc_params, const cmsis_nn_per_tensor_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int64_t *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data)
{
    (void)bias_dims;
    (void)ctx;
    const tinyc_mat_mult_s16_params product = {
        .rhs = filter_data,
        .bias = bias_data,
        .multiplier = &quant_params->multiplier,
        .shift = &quant_params->shift,
        .rhs_rows = output_dims->c,
        .rhs_cols = filter_dims->n,
        .dst_min = fc_params->activation.min,
        .dst_max = fc_params->activation.max,
    };
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        tinyc_vec_mat_s16(&product, input_data, output_data);
        input_data += filter_dims->n;
        output_data += output_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
