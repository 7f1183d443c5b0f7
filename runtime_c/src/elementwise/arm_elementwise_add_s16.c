/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_nn.h"
#include "tinyc_requantize.h"

/* Offsets are not read: int16 has no zero points. output may be an input. */
TINYC_FN(arm_elementwise_add_s16)
arm_cmsis_nn_status tinyc_arm_elementwise_add_s16(const int16_t *input_1_vect, const int16_t *input_2_vect,
    const int32_t input_1_offset, const int32_t input_1_mult, const int32_t input_1_shift,
    const int32_t input_2_offset, const int32_t input_2_mult, const int32_t input_2_shift,
    const int32_t left_shift, int16_t *output, const int32_t out_offset, const int32_t out_mult,
    const int32_t out_shift, const int32_t out_activation_min, const int32_t out_activation_max,
    const int32_t block_size)
{
    (void)input_1_offset;
    (void)input_2_offset;
    (void)out_offset;
    for (int32_t k = 0; k < block_size; ++k) {
        const int32_t first =
            tinyc_requantize(tinyc_shift_left_s32(input_1_vect[k], left_shift), input_1_mult, input_1_shift);
        const int32_t second =
            tinyc_requantize(tinyc_shift_left_s32(input_2_vect[k], left_shift), input_2_mult, input_2_shift);
        const int32_t sum = tinyc_requantize(first + second, out_mult, out_shift);
        output[k] = (int16_t)tinyc_clamp_s32(sum, out_activation_min, out_activation_max);
    }
    return ARM_CMSIS_NN_SUCCESS;
}
