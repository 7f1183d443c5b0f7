/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_convolve_image_s8.h"
#include "tinyc_nn.h"

#include <stddef.h>

/*
 * Any 2-D convolution: grouped (filter_dims->c channels a group), dilated, padded with the input's zero
 * point, optionally of an upscaled input (upscale_dims, 2 in a direction; NULL for none, and input_dims are
 * those after upscaling). ARG_ERROR without scratch, or where groups do not divide the channels.
 */
TINYC_FN(arm_convolve_s8)
arm_cmsis_nn_status tinyc_arm_convolve_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *upscale_dims, const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)bias_dims;
    const int32_t groups = input_dims->c / filter_dims->c;
    if (ctx->buf == NULL || groups == 0 || input_dims->c % groups != 0 || output_dims->c % groups != 0) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }

    const tinyc_convolve_geometry geometry = {
        .input_h = input_dims->h,
        .input_w = input_dims->w,
        .input_c = input_dims->c,
        .kernel_h = filter_dims->h,
        .kernel_w = filter_dims->w,
        .kernel_c = filter_dims->c,
        .output_h = output_dims->h,
        .output_w = output_dims->w,
        .output_c = output_dims->c,
        .pad_h = conv_params->padding.h,
        .pad_w = conv_params->padding.w,
        .stride_h = conv_params->stride.h,
        .stride_w = conv_params->stride.w,
        .dilation_h = conv_params->dilation.h,
        .dilation_w = conv_params->dilation.w,
        .upscale_h = upscale_dims != NULL && upscale_dims->h == 2 ? 1 : 0,
        .upscale_w = upscale_dims != NULL && upscale_dims->w == 2 ? 1 : 0,
    };
    const int32_t stored_pixels =
        (geometry.input_h >> geometry.upscale_h) * (geometry.input_w >> geometry.upscale_w);
    const int32_t channels = output_dims->c / groups;
    tinyc_mat_mult_s8_params product = {
        .rhs_rows = channels,
        .rhs_cols = filter_dims->h * filter_dims->w * filter_dims->c,
        .quant_step = 1,
        .lhs_offset = conv_params->input_offset,
        .dst_offset = conv_params->output_offset,
        .dst_min = conv_params->activation.min,
        .dst_max = conv_params->activation.max,
    };

    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t group = 0; group < groups; ++group) {
            product.rhs = filter_data + group * channels * product.rhs_cols;
            product.bias = bias_data != NULL ? bias_data + group * channels : NULL;
            product.multiplier = quant_params->multiplier + group * channels;
            product.shift = quant_params->shift + group * channels;
            tinyc_convolve_image_s8(&geometry, &product, input_data + group * filter_dims->c, ctx->buf,
                output_data + group * channels);
        }
        input_data += stored_pixels * input_dims->c;
        output_data += output_dims->h * output_dims->w * output_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
