/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tinyc_svdf.h"

/* The state, [batch][feature][time], moves by one element as a whole: what comes in at each row's end is overwritten. */
TINYC_FN(arm_svdf_s8)
arm_cmsis_nn_status tinyc_arm_svdf_s8(const cmsis_nn_context *ctx, const cmsis_nn_context *input_ctx,
    const cmsis_nn_context *output_ctx, const cmsis_nn_svdf_params *svdf_params,
    const cmsis_nn_per_tensor_quant_params *input_quant_params,
    const cmsis_nn_per_tensor_quant_params *output_quant_params, const cmsis_nn_dims *input_dims,
    const int8_t *input_data, const cmsis_nn_dims *state_dims, int8_t *state_data,
    const cmsis_nn_dims *weights_feature_dims, const int8_t *weights_feature_data,
    const cmsis_nn_dims *weights_time_dims, const int8_t *weights_time_data, const cmsis_nn_dims *bias_dims,
    const int32_t *bias_data, const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    const int32_t depth = input_dims->h, times = weights_time_dims->h, rank = svdf_params->rank;
    const int32_t features = weights_feature_dims->n, units = features / rank;
    (void)ctx;
    (void)state_dims;
    (void)bias_dims;
    (void)output_dims;
    if (tinyc_svdf_without_buffers(input_ctx, output_ctx)) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    memmove(state_data, state_data + 1, (size_t)(input_dims->n * features * times - 1) * sizeof *state_data);
    for (int32_t batch = 0; batch < input_dims->n; batch++) {
        const int8_t *input = input_data + batch * depth;
        int8_t *state = state_data + batch * features * times;
        for (int32_t unit = 0; unit < units; unit++) {
            int32_t sum = bias_data != NULL ? bias_data[unit] : 0;
            for (int32_t feature = unit * rank; feature < (unit + 1) * rank; feature++) {
                int8_t *row = state + feature * times;
                const int8_t *weights = weights_time_data + feature * times;
                row[times - 1] = (int8_t)tinyc_svdf_feature(
                    input, weights_feature_data + feature * depth, depth, svdf_params, input_quant_params);
                for (int32_t t = 0; t < times; t++) {
                    sum += row[t] * weights[t];
                }
            }
            output_data[batch * units + unit] = tinyc_svdf_output(sum, svdf_params, output_quant_params);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
