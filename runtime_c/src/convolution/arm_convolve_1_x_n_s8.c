/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_mat_mult_s8.h"
#include "tinyc_nn.h"
#include "tinyc_requantize.h"

#include <stddef.h>
#include <string.h>

/*
 * Convolution along one row: input and filter height 1, no dilation, one group. Pixels whose taps all lie
 * inside the input are a matrix product over overlapping rows of it, without copying; those at the padded
 * ends are gathered, one at a time, into ctx->buf.
 */
TINYC_FN(arm_convolve_1_x_n_s8)
arm_cmsis_nn_status tinyc_arm_convolve_1_x_n_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)bias_dims;
    const int32_t stride = conv_params->stride.w;
    const int32_t channels = input_dims->c;
    if (input_dims->h != 1 || conv_params->dilation.w != 1 || ctx->buf == NULL || stride == 0 ||
        stride * channels % 4 != 0) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    const int32_t pad = conv_params->padding.w;
    const int32_t width = input_dims->w;
    const int32_t taps = filter_dims->w;
    const int32_t pixels = output_dims->w;
    const tinyc_mat_mult_s8_params product = {
        .rhs = filter_data,
        .bias = bias_data,
        .multiplier = quant_params->multiplier,
        .shift = quant_params->shift,
        .quant_step = 1,
        .rhs_rows = output_dims->c,
        .rhs_cols = taps * channels,
        .lhs_offset = conv_params->input_offset,
        .dst_offset = conv_params->output_offset,
        .dst_min = conv_params->activation.min,
        .dst_max = conv_params->activation.max,
    };
    /* Pixels [inner_begin, inner_end) see no padding. */
    const int32_t inner_begin = tinyc_min_s32((pad + stride - 1) / stride, pixels);
    const int32_t last_start = width - taps + pad;
    const int32_t inner_end =
        tinyc_max_s32(tinyc_min_s32(last_start < 0 ? 0 : last_start / stride + 1, pixels), inner_begin);

    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t pixel = 0; pixel < pixels; ++pixel) {
            const int32_t x = pixel * stride - pad;
            if (pixel == inner_begin && inner_end > inner_begin) {
                tinyc_mat_mult_s8(&product, input_data + x * channels, inner_end - inner_begin,
                    stride * channels, output_data, output_dims->c);
                output_data += (inner_end - inner_begin) * output_dims->c;
                pixel = inner_end - 1;
                continue;
            }
            const int32_t begin = tinyc_clamp_s32(-x, 0, taps);
            const int32_t end = tinyc_clamp_s32(width - x, begin, taps);
            int8_t *const column = (int8_t *)ctx->buf;
            memset(column, -conv_params->input_offset, (size_t)(taps * channels));
            memcpy(column + begin * channels, input_data + (x + begin) * channels,
                (size_t)((end - begin) * channels));
            tinyc_vec_mat_s8(&product, column, output_data);
            output_data += output_dims->c;
        }
        input_data += width * channels;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
