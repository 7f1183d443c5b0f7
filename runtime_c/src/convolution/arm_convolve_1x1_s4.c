/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s4.h"

/*
 * 1x1 convolution with any stride and no padding, filters of 4 bits. Needs no scratch. A pixel is read while it is
 * written, so the output may run over input that lies before it only.
 */
TINYC_FN(arm_convolve_1x1_s4)
arm_cmsis_nn_status tinyc_arm_convolve_1x1_s4(const cmsis_nn_context *ctx,
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
    const int32_t depth = input_dims->c;
    const tinyc_mat_mult_s8_params product = tinyc_convolution_product_s4(
        conv_params, quant_params, filter_data, bias_data, output_dims, depth);
    const int32_t input_row = input_dims->w * depth;
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t y = 0; y < output_dims->h; ++y) {
            const int8_t *pixel = input_data + y * conv_params->stride.h * input_row;
            for (int32_t x = 0; x < output_dims->w; ++x, pixel += conv_params->stride.w * depth) {
                tinyc_vec_mat_s4(&product, pixel, output_data);
                output_data += output_dims->c;
            }
        }
        input_data += input_dims->h * input_row;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
