/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pool_window_s8.h"

/* A window without any pixel of the image is an error. */
TINYC_FN(arm_max_pool_s8)
arm_cmsis_nn_status tinyc_arm_max_pool_s8(const cmsis_nn_context *ctx,
                                          const cmsis_nn_pool_params *pool_params,
                                          const cmsis_nn_dims *input_dims,
                                          const int8_t *input_data,
                                          const cmsis_nn_dims *filter_dims,
                                          const cmsis_nn_dims *output_dims,
                                          int8_t *output_data)
{
    (void)ctx;
    if (input_dims->n < 1) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (int32_t batch = 0; batch < input_dims->n; batch++) {
        for (int32_t y = 0; y < output_dims->h; y++) {
            for (int32_t x = 0; x < output_dims->w; x++) {
                const tinyc_pool_window window =
                    tinyc_pool_window_at(input_data,
                                         input_dims,
                                         filter_dims,
                                         y * pool_params->stride.h - pool_params->padding.h,
                                         x * pool_params->stride.w - pool_params->padding.w);
                if (window.rows <= 0 || window.cols <= 0) {
                    return ARM_CMSIS_NN_ARG_ERROR;
                }
                tinyc_maxpool_window_s8(&window, &pool_params->activation, output_data);
                output_data += input_dims->c;
            }
        }
        input_data += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
