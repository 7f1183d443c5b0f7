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

/* The last depth % 4 values of both columns, filled up with zeros, with two rows: as tinyc_dot_pair_dsp. */
static void dot_tail(int32_t acc[4], const int16_t *pair, const int8_t *weights, int32_t second_row, int32_t count)
{
    const int16x2_t *const x = (const int16x2_t *)(const void *)pair;
    for (int32_t row = 0; row < 2; ++row, weights += second_row) {
        const int8x4_t word = load_tail(weights, count);
        const int16x2_t even = __sxtb16(word);
        const int16x2_t odd = tinyc_sxtb16_ror8(word);
        acc[row] = __smlad(odd, x[1], __smlad(even, x[0], acc[row]));
        acc[row + 2] = __smlad(odd, x[3], __smlad(even, x[2], acc[row + 2]));
    }
}

TINYC_FN(mat_mult_pair_dsp)
void tinyc_mat_mult_pair_dsp(
    const tinyc_mat_mult_s8_params *params, const int16_t *pair, int8_t *dst0, int8_t *dst1)
{
    const tinyc_output_stage stage =
        tinyc_prepare_output(params->dst_offset, params->dst_min, params->dst_max);
    const int32_t depth = params->rhs_cols;
    const int32_t tail = depth & 3;
    const int32_t step = params->quant_step;
    const int32_t *bias = params->bias;
    const int32_t *multiplier = params->multiplier;
    const int32_t *shift = params->shift;
    const int8_t *weights = params->rhs;
    const int32_t groups = depth >> 2;

    for (int32_t left = params->rhs_rows; left > 0; left -= 2) {
        /* An odd last channel is computed twice and stored once. */
        const int32_t second = left > 1 ? 1 : 0;
        const int32_t second_row = second != 0 ? depth : 0;
        int32_t acc[4] = {0, 0, 0, 0};
        if (bias != NULL) {
            acc[0] = bias[0];
            acc[1] = bias[second];
            acc[2] = acc[0];
            acc[3] = acc[1];
            bias += 2;
        }
        tinyc_dot_pair_dsp(acc, pair, weights, second_row, groups);
        if (tail != 0) {
            dot_tail(acc, pair + 8 * groups, weights + 4 * groups, second_row, tail);
        }
        weights += 2 * depth;

        const int32_t next = second != 0 ? step : 0;
        const tinyc_s32x4 multipliers = {multiplier[0], multiplier[next], multiplier[0], multiplier[next]};
        const tinyc_s32x4 shifts = {shift[0], shift[next], shift[0], shift[next]};
        const tinyc_s32x4 sums = {acc[0], acc[1], acc[2], acc[3]};
        const uint32_t bytes = tinyc_requantize_s8x4(sums, multipliers, shifts, &stage);
        if (second != 0) {
            const uint16_t halves[2] = {(uint16_t)bytes, (uint16_t)(bytes >> 16)};
            memcpy(dst1, &halves[1], sizeof halves[1]);
            memcpy(dst0, &halves[0], sizeof halves[0]);
        } else {
            *dst1 = (int8_t)(bytes >> 16);
            *dst0 = (int8_t)bytes;
        }
        dst0 += 2;
        dst1 += 2;
        multiplier += 2 * step;
        shift += 2 * step;
    }
}
