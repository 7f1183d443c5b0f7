/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tinyc_nn.h"

#define MAX_RANK 4

/* out[0 .. count - 1] = in[0], in[stride], .... */
static void gather(const int8_t *in, int8_t *out, int32_t count, int32_t stride)
{
    int32_t at = 0;
    if (stride == 1) {
        memcpy(out, in, (size_t)count);
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        out[i] = in[at];
        at += stride;
    }
}

/* The output is written in order; output dimension i is input dimension permutations[i]. The sizes are those of the
 * input: n, h, w, c, as many as num_dims says. */
TINYC_FN(arm_transpose_s8)
arm_cmsis_nn_status tinyc_arm_transpose_s8(const int8_t *input,
                                           int8_t *const output,
                                           const cmsis_nn_dims *const input_dims,
                                           const cmsis_nn_dims *const output_dims,
                                           const cmsis_nn_transpose_params *const transpose_params)
{
    const int32_t rank = transpose_params->num_dims;
    const int32_t in_size[MAX_RANK] = {input_dims->n, input_dims->h, input_dims->w, input_dims->c};
    int32_t in_stride[MAX_RANK];
    /* Output dimensions, right-aligned: missing leading ones have size 1. */
    int32_t size[MAX_RANK] = {1, 1, 1, 1};
    int32_t stride[MAX_RANK] = {0, 0, 0, 0};
    int32_t elements = 1;
    int8_t *out = output;
    (void)output_dims;

    if (rank < 1 || rank > MAX_RANK) {
        return ARM_CMSIS_NN_ARG_ERROR;
    }
    for (int32_t i = rank - 1; i >= 0; i--) {
        in_stride[i] = elements;
        elements *= in_size[i];
    }
    for (int32_t i = 0; i < rank; i++) {
        const uint32_t from = rank == 1 ? 0 : transpose_params->permutations[i];
        if (from >= (uint32_t)rank) {
            return ARM_CMSIS_NN_ARG_ERROR;
        }
        size[MAX_RANK - rank + i] = in_size[from];
        stride[MAX_RANK - rank + i] = in_stride[from];
    }
    for (int32_t n = 0; n < size[0]; n++) {
        for (int32_t y = 0; y < size[1]; y++) {
            for (int32_t x = 0; x < size[2]; x++) {
                gather(input + n * stride[0] + y * stride[1] + x * stride[2], out, size[3], stride[3]);
                out += size[3];
            }
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
