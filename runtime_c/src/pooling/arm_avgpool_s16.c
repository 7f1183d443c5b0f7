/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"
#include "tinyc_requantize.h"

/* Means over the taps inside the input, rounded half away from zero. Needs no scratch. Works in raster order. */
TINYC_FN(arm_avgpool_s16)
arm_cmsis_nn_status tinyc_arm_avgpool_s16(const cmsis_nn_context *ctx, const cmsis_nn_pool_params *pool_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const cmsis_nn_dims *output_dims, int16_t *output_data)
{
    (void)ctx;
    const int32_t channels = input_dims->c;
    const int32_t pixels = input_dims->n * output_dims->h * output_dims->w;
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        const int32_t image = pixel / (output_dims->h * output_dims->w);
        const int32_t y = pixel / output_dims->w % output_dims->h * pool_params->stride.h - pool_params->padding.h;
        const int32_t x = pixel % output_dims->w * pool_params->stride.w - pool_params->padding.w;
        const int32_t top = tinyc_max_s32(y, 0);
        const int32_t left = tinyc_max_s32(x, 0);
        const int32_t rows = tinyc_min_s32(y + filter_dims->h, input_dims->h) - top;
        const int32_t columns = tinyc_min_s32(x + filter_dims->w, input_dims->w) - left;
        if (rows <= 0 || columns <= 0) {
            return ARM_CMSIS_NN_ARG_ERROR;
        }
        const int32_t half = rows * columns / 2;
        const int16_t *const first =
            input_data + ((image * input_dims->h + top) * input_dims->w + left) * channels;
        for (int32_t channel = 0; channel < channels; ++channel) {
            int32_t sum = 0;
            for (int32_t row = 0; row < rows; ++row) {
                const int16_t *const line = first + row * input_dims->w * channels + channel;
                for (int32_t column = 0; column < columns; ++column) {
                    sum += line[column * channels];
                }
            }
            sum = (sum > 0 ? sum + half : sum - half) / (rows * columns);
            *output_data++ =
                (int16_t)tinyc_clamp_s32(sum, pool_params->activation.min, pool_params->activation.max);
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
