/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"
#include "tinyc_s4.h"

#include <stddef.h>

/*
 * Depthwise convolution with filters of 4 bits, one output channel for each input channel. The filters, few beside the
 * pixels that they serve, are unpacked into ctx->buf first. Overlap: as for tinyc_depthwise_image_s8.
 */
TINYC_FN(arm_depthwise_conv_s4_opt)
arm_cmsis_nn_status tinyc_arm_depthwise_conv_s4_opt(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *conv, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data)
{
    (void)bias_dims;
    if (input_dims->c != output_dims->c || ctx->buf == NULL) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    int8_t *const filters = (int8_t *)ctx->buf;
    const int32_t count = filter_dims->h * filter_dims->w * output_dims->c;
    for (int32_t k = 0; k < count; ++k) {
        const int8_t byte = filter_data[k / 2];
        filters[k] = (int8_t)(k % 2 == 0 ? tinyc_low_s4(byte) : tinyc_high_s4(byte));
    }
    tinyc_depthwise_image_s8(tinyc_depthwise_pixel_s8, conv, quant_params, input_dims, input_data, filter_dims,
        filters, bias_data, output_dims, output_data);
    return ARM_CMSIS_NN_SUCCESS;
}
