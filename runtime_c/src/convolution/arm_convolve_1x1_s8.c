/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_mat_mult_s8.h"
#include "tinyc_nn.h"

#include <stddef.h>

/*
 * 1x1 convolution with any stride and no padding: a matrix product for each output row. Needs no scratch.
 *
 * Overlap: as for arm_convolve_1x1_s8_fast; rows and pixels that the stride leaves out only add room.
 */
TINYC_FN(arm_convolve_1x1_s8)
arm_cmsis_nn_status tinyc_arm_convolve_1x1_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)ctx;
    (void)filter_dims;
    (void)bias_dims;
    if (conv_params->padding.w != 0 || conv_params->padding.h != 0) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const tinyc_mat_mult_s8_params product = {
        .rhs = filter_data,
        .bias = bias_data,
        .multiplier = quant_params->multiplier,
        .shift = quant_params->shift,
        .quant_step = 1,
        .rhs_rows = output_dims->c,
        .rhs_cols = input_dims->c,
        .lhs_offset = conv_params->input_offset,
        .dst_offset = conv_params->output_offset,
        .dst_min = conv_params->activation.min,
        .dst_max = conv_params->activation.max,
    };
    const int32_t input_row = input_dims->w * input_dims->c;
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            tinyc_mat_mult_s8(&product, input_data + y * conv_params->stride.h * input_row, output_dims->w,
                conv_params->stride.w * input_dims->c, output_data, output_dims->c);
            output_data += output_dims->w * output_dims->c;
        }
        input_data += input_dims->h * input_row;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
