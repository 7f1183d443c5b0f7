/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pair_dsp.h"

/* The last depth % 4 weights of a row as a word; what stands beside them meets zeros in the columns. */
static int8x4_t load_tail(const int8_t *weights, int32_t count)
{
    uint32_t word = (uint8_t)weights[0];
    if (count > 1) {
        word |= (uint32_t)(uint8_t)weights[1] << 8;
    }
    if (count > 2) {
        word |= (uint32_t)(uint8_t)weights[2] << 16;
    }
    return (int8x4_t)word;
}

TINYC_FN(mat_mult_pair_dsp)
void tinyc_mat_mult_pair_dsp(
    const tinyc_mat_mult_s8_params *params, const int16_t *pair, int8_t *dst0, int8_t *dst1)
{
    const int32_t depth = params->rhs_cols;
    const int32_t tail = depth & 3;
    const int32_t rows = params->rhs_rows;
    const int32_t offset = params->dst_offset;
    const int32_t lowest = params->dst_min;
    const int32_t highest = params->dst_max;
    const int8_t *weights = params->rhs;
    const int16_t *const end = pair + 2 * (depth - tail);

    for (int32_t row = 0; row < rows; row += 2) {
        /* An odd last row is computed twice and stored once. */
        const int32_t second = row + 1 < rows ? 1 : 0;
        const int32_t second_stride = second != 0 ? depth : 0;
        int32_t acc00 = 0;
        int32_t acc10 = 0;
        if (params->bias != NULL) {
            acc00 = params->bias[row];
            acc10 = params->bias[row + second];
        }
        int32_t acc01 = acc00;
        int32_t acc11 = acc10;

        const int16x2_t *x = (const int16x2_t *)(const void *)pair;
        const int8_t *w = weights;
        while (x != (const int16x2_t *)(const void *)end) {
            const int16x2_t x0_even = x[0];
            const int16x2_t x0_odd = x[1];
            const int16x2_t x1_even = x[2];
            const int16x2_t x1_odd = x[3];
            x += 4;
            int8x4_t word = tinyc_load_s8x4(w + second_stride);
            int16x2_t even = __sxtb16(word);
            acc10 = __smlad(even, x0_even, acc10);
            acc11 = __smlad(even, x1_even, acc11);
            even = tinyc_sxtb16_ror8(word);
            acc10 = __smlad(even, x0_odd, acc10);
            acc11 = __smlad(even, x1_odd, acc11);
            word = tinyc_load_s8x4(w);
            w += 4;
            even = __sxtb16(word);
            acc00 = __smlad(even, x0_even, acc00);
            acc01 = __smlad(even, x1_even, acc01);
            even = tinyc_sxtb16_ror8(word);
            acc00 = __smlad(even, x0_odd, acc00);
            acc01 = __smlad(even, x1_odd, acc01);
        }
        if (tail != 0) {
            const int8x4_t word0 = load_tail(w, tail);
            const int8x4_t word1 = load_tail(w + second_stride, tail);
            const int16x2_t even0 = __sxtb16(word0);
            const int16x2_t odd0 = tinyc_sxtb16_ror8(word0);
            const int16x2_t even1 = __sxtb16(word1);
            const int16x2_t odd1 = tinyc_sxtb16_ror8(word1);
            acc00 = __smlad(odd0, x[1], __smlad(even0, x[0], acc00));
            acc01 = __smlad(odd0, x[3], __smlad(even0, x[2], acc01));
            acc10 = __smlad(odd1, x[1], __smlad(even1, x[0], acc10));
            acc11 = __smlad(odd1, x[3], __smlad(even1, x[2], acc11));
        }
        weights += 2 * depth;

        const int32_t quant0 = row * params->quant_step;
        const int32_t quant1 = (row + second) * params->quant_step;
        const int32_t multiplier0 = params->multiplier[quant0];
        const int32_t multiplier1 = params->multiplier[quant1];
        const int32_t shift0 = params->shift[quant0];
        const int32_t shift1 = params->shift[quant1];
        dst1[0] = tinyc_requantize_to_s8_dsp(acc01, multiplier0, shift0, offset, lowest, highest);
        dst1[second] = tinyc_requantize_to_s8_dsp(acc11, multiplier1, shift1, offset, lowest, highest);
        dst0[0] = tinyc_requantize_to_s8_dsp(acc00, multiplier0, shift0, offset, lowest, highest);
        dst0[second] = tinyc_requantize_to_s8_dsp(acc10, multiplier1, shift1, offset, lowest, highest);
        dst0 += 2;
        dst1 += 2;
    }
}
