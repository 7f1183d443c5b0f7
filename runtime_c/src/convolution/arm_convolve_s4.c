/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_gather_s8.h"
#include "tinyc_s4.h"

#include <stddef.h>

/* Any 2-D convolution of one group with filters of 4 bits; each pixel's input is gathered in ctx->buf first. */
TINYC_FN(arm_convolve_s4)
arm_cmsis_nn_status tinyc_arm_convolve_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)bias_dims;
    if (ctx->buf == NULL) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const tinyc_convolve_geometry geometry = {
        .input_h = input_dims->h,
        .input_w = input_dims->w,
        .input_c = input_dims->c,
        .kernel_h = filter_dims->h,
        .kernel_w = filter_dims->w,
        .kernel_c = input_dims->c,
        .output_h = output_dims->h,
        .output_w = output_dims->w,
        .output_c = output_dims->c,
        .pad_h = conv_params->padding.h,
        .pad_w = conv_params->padding.w,
        .stride_h = conv_params->stride.h,
        .stride_w = conv_params->stride.w,
        .dilation_h = conv_params->dilation.h,
        .dilation_w = conv_params->dilation.w,
    };
    const int32_t depth = filter_dims->h * filter_dims->w * input_dims->c;
    const tinyc_mat_mult_s8_params product = tinyc_convolution_product_s4(
        conv_params, quant_params, filter_data, bias_data, output_dims, depth);
    int8_t *const column = (int8_t *)ctx->buf;
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t out_y = 0; out_y < output_dims->h; ++out_y) {
            const int32_t y = out_y * geometry.stride_h - geometry.pad_h;
            for (int32_t out_x = 0; out_x < output_dims->w; ++out_x) {
                const int32_t x = out_x * geometry.stride_w - geometry.pad_w;
                tinyc_gather_s8(&geometry, input_data, -product.lhs_offset, y, x, column);
                tinyc_vec_mat_s4(&product, column, output_data);
                output_data += output_dims->c;
            }
        }
        input_data += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
