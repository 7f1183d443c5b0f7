/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"
#include "tinyc_requantize.h"

/* Output pixels touched by this much padding at one end, as CMSIS-NN counts them. */
static int32_t padded_pixels(int32_t pad, int32_t stride)
{
    return pad != 0 ? tinyc_max_s32(1, (pad + stride - 1) / stride) : 0;
}

/*
 * The longer of the two padded ends of the row, as CMSIS-NN reports it. It is never less than the one column
 * that the bundled function needs: the left end holds kernel width * channels and its padding.
 */
TINYC_FN(arm_convolve_1_x_n_s8_get_buffer_size)
int32_t tinyc_arm_convolve_1_x_n_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims)
{
    const int32_t channels = input_dims->c;
    const int32_t pad = conv_params->padding.w;
    const int32_t stride = conv_params->stride.w;
    const int32_t uneven = ((output_dims->w - 1) * stride + filter_dims->w - input_dims->w) % 2;
    const int32_t left = padded_pixels(pad, stride);
    const int32_t right = padded_pixels(pad + uneven, stride);
    if (left + right > output_dims->w) {
        return tinyc_arm_convolve_s8_get_buffer_size(input_dims, filter_dims);
    }
    const int32_t left_end = filter_dims->w + pad;
    const int32_t right_end = filter_dims->w - 1 + (uneven != 0 ? right : pad);
    return tinyc_max_s32(left_end, right_end) * channels;
}
