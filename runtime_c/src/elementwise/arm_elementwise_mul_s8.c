/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_elementwise_s8.h"
#include "tinyc_nn.h"
#include "tinyc_requantize.h"
#include "tinyc_runtime.h"

static int is_int8_offset(int32_t value)
{
    return value >= -128 && value <= 128;
}

/* output may be one of the inputs: an element is read before its place is written. */
TINYC_FN(arm_elementwise_mul_s8)
arm_cmsis_nn_status tinyc_arm_elementwise_mul_s8(const int8_t *input_1_vect, const int8_t *input_2_vect,
    const int32_t input_1_offset, const int32_t input_2_offset, int8_t *output, const int32_t out_offset,
    const int32_t out_mult, const int32_t out_shift, const int32_t out_activation_min,
    const int32_t out_activation_max, const int32_t block_size)
{
    if (is_int8_offset(input_1_offset) && is_int8_offset(input_2_offset) && is_int8_offset(out_offset) &&
        out_mult >= 0 && out_shift >= -22 && out_shift <= -1) {
        const tinyc_mul_s8_params normal = {
            .a_offset = input_1_offset,
            .b_offset = input_2_offset,
            .mult = out_mult,
            .right = -out_shift,
            .out_offset = out_offset,
            .out_min = out_activation_min,
            .out_max = out_activation_max,
        };
        tinyc_mul_s8(&normal, input_1_vect, input_2_vect, output, block_size);
        return ARM_CMSIS_NN_SUCCESS;
    }
    for (int32_t i = 0; i < block_size; i++) {
        const int32_t product = (input_1_vect[i] + input_1_offset) * (input_2_vect[i] + input_2_offset);
        output[i] = tinyc_requantize_to_s8(
            product, out_mult, out_shift, out_offset, out_activation_min, out_activation_max);
    }
    return ARM_CMSIS_NN_SUCCESS;
}
