/* SPDX-License-Identifier: Apache-2.0 */
/* What the SVDF layers share: their ends. Their states and time weights differ in type. */
#ifndef TINYC_SVDF_H
#define TINYC_SVDF_H

#include "tinyc_nn.h"
#include "tinyc_requantize.h"

#include <stddef.h>

/* A feature of the input, in the state's steps. */
TINYC_INLINE int32_t tinyc_svdf_feature(const int8_t *input, const int8_t *weights, int32_t depth,
    const cmsis_nn_svdf_params *params, const cmsis_nn_per_tensor_quant_params *quant)
{
    int32_t sum = 0;
    for (int32_t k = 0; k < depth; k++) {
        sum += (input[k] - params->input_offset) * weights[k];
    }
    return tinyc_clamp_s32(tinyc_requantize(sum, quant->multiplier, quant->shift), params->input_activation.min,
        params->input_activation.max);
}

TINYC_INLINE int8_t tinyc_svdf_output(
    int32_t sum, const cmsis_nn_svdf_params *params, const cmsis_nn_per_tensor_quant_params *quant)
{
    return tinyc_requantize_to_s8(sum, quant->multiplier, quant->shift, params->output_offset,
        params->output_activation.min, params->output_activation.max);
}

/* CMSIS-NN refuses a call without its scratch buffers; they are not used here. */
TINYC_INLINE int tinyc_svdf_without_buffers(const cmsis_nn_context *input_ctx, const cmsis_nn_context *output_ctx)
{
    return input_ctx->buf == NULL || output_ctx->buf == NULL;
}

#endif /* TINYC_SVDF_H */
