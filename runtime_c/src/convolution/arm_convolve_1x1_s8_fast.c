/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_mat_mult_s8.h"
#include "tinyc_nn.h"

#include <stddef.h>

/*
 * 1x1 convolution with stride 1 and no padding: a matrix product over all pixels. Needs no scratch.
 *
 * Overlap: the output may lie over the input where output_data <= input_data, output_dims->c <= input_dims->c
 * and input_dims->c <= 512 (TINYC_ROW_BUFFER_BYTES). CMSIS-NN itself does not allow that.
 */
TINYC_FN(arm_convolve_1x1_s8_fast)
arm_cmsis_nn_status tinyc_arm_convolve_1x1_s8_fast(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)ctx;
    (void)filter_dims;
    (void)bias_dims;
    if (conv_params->padding.w != 0 || conv_params->padding.h != 0 || conv_params->stride.w != 1 ||
        conv_params->stride.h != 1) {
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
    tinyc_mat_mult_s8(&product, input_data, input_dims->n * input_dims->h * input_dims->w, input_dims->c,
        output_data, output_dims->c);
    return ARM_CMSIS_NN_SUCCESS;
}
