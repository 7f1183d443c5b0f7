/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight weights come in one word. With 8 added, which flips the highest bit of each, they are not negative, so one AND
 * takes two of them, four places apart, as halfwords; shifts by 4, 8 and 12 bits give the others. What the 8 adds is
 * eight times the sum of the activations, the same for all channels.
 */
#include "tinyc_dsp.h"
#include "tinyc_s4.h"

#include <stdbool.h>
#include <stddef.h>

#define FLIPPED UINT32_C(0x88888888)
#define HALVES UINT32_C(0x000f000f)

/* Eight activations as pairs (x[k], x[k + 4]). */
typedef struct {
    int16x2_t at[4];
} activation_pairs;

TINYC_INLINE activation_pairs load_pairs(const int8_t *x, int16x2_t offsets)
{
    const int8x4_t first = tinyc_load_s8x4(x);
    const int8x4_t second = tinyc_load_s8x4(x + 4);
    const int16x2_t even = __sxtab16(offsets, first);
    const int16x2_t odd = tinyc_sxtab16_ror8(offsets, first);
    const int16x2_t later_even = __sxtab16(offsets, second);
    const int16x2_t later_odd = tinyc_sxtab16_ror8(offsets, second);
    activation_pairs pairs;
    pairs.at[0] = (int16x2_t)tinyc_pkhbt(even, later_even);
    pairs.at[1] = (int16x2_t)tinyc_pkhbt(odd, later_odd);
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pairs.at[2]) : "r"(later_even), "r"(even));
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pairs.at[3]) : "r"(later_odd), "r"(odd));
    return pairs;
}

/* acc plus the products with eight weights, 8 added to each. */
TINYC_INLINE int32_t multiply_pairs(const activation_pairs *pairs, const int8_t *weights, int32_t acc)
{
    const uint32_t word = (uint32_t)tinyc_load_s8x4(weights) ^ FLIPPED;
    acc = __smlad(pairs->at[0], (int16x2_t)(word & HALVES), acc);
    acc = __smlad(pairs->at[1], (int16x2_t)(word >> 4 & HALVES), acc);
    acc = __smlad(pairs->at[2], (int16x2_t)(word >> 8 & HALVES), acc);
    return __smlad(pairs->at[3], (int16x2_t)(word >> 12 & HALVES), acc);
}

TINYC_INLINE int32_t raised_low(int8_t byte)
{
    return (byte & 15) ^ 8;
}

TINYC_INLINE int32_t raised_high(int8_t byte)
{
    return (byte >> 4 & 15) ^ 8;
}

/* Products with `count` weights, 8 added to each, from a place at the beginning of a byte. */
static int32_t dot_row(const int8_t *x, const int8_t *weights, int32_t count, int32_t offset, int32_t acc)
{
    const int16x2_t offsets = tinyc_dup_s16x2(offset);
    for (; count >= 8; count -= 8, x += 8, weights += 4) {
        const activation_pairs pairs = load_pairs(x, offsets);
        acc = multiply_pairs(&pairs, weights, acc);
    }
    for (; count >= 2; count -= 2, x += 2, ++weights) {
        acc += (x[0] + offset) * raised_low(*weights) + (x[1] + offset) * raised_high(*weights);
    }
    return count > 0 ? acc + (x[0] + offset) * raised_low(*weights) : acc;
}

/* The same for two rows that both begin with a byte. */
static void dot_2_rows(int32_t acc[2], const int8_t *x, const int8_t *weights, int32_t depth, int32_t offset)
{
    const int16x2_t offsets = tinyc_dup_s16x2(offset);
    const int8_t *const end = x + (depth & ~7);
    const int32_t row = depth / 2;
    int32_t first = acc[0];
    int32_t second = acc[1];
    for (; x != end; x += 8, weights += 4) {
        const activation_pairs pairs = load_pairs(x, offsets);
        first = multiply_pairs(&pairs, weights, first);
        second = multiply_pairs(&pairs, weights + row, second);
    }
    acc[0] = dot_row(x, weights, depth & 7, offset, first);
    acc[1] = dot_row(x, weights + row, depth & 7, offset, second);
}

static int32_t sum_of(const int8_t *x, int32_t count, int32_t offset)
{
    int32_t sum = count * offset;
    const int16x2_t ones = tinyc_dup_s16x2(1);
    for (; count >= 4; count -= 4, x += 4) {
        const int8x4_t word = tinyc_load_s8x4(x);
        sum = __smlad(ones, __sxtb16(word), __smlad(ones, tinyc_sxtb16_ror8(word), sum));
    }
    for (; count > 0; --count) {
        sum += *x++;
    }
    return sum;
}

TINYC_FN(vec_mat_s4)
void tinyc_vec_mat_s4(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst)
{
    const tinyc_output_stage stage =
        tinyc_prepare_output(params->dst_offset, params->dst_min, params->dst_max);
    const int32_t depth = params->rhs_cols;
    const int32_t channels = params->rhs_rows;
    const int32_t offset = params->lhs_offset;
    const int32_t raised = -8 * sum_of(lhs, depth, offset);
    const int8_t *weights = params->rhs;
    bool in_byte = false; /* the next weight is the high half of *weights */
    int32_t acc[2];
    for (int32_t channel = 0; channel < channels;) {
        const int32_t rows = (depth & 1) == 0 && channel + 1 < channels ? 2 : 1;
        for (int32_t row = 0; row < rows; ++row) {
            acc[row] = raised + (params->bias != NULL ? params->bias[channel + row] : 0);
        }
        if (rows == 2) {
            dot_2_rows(acc, lhs, weights, depth, offset);
            weights += depth;
        } else if (in_byte) {
            acc[0] += (lhs[0] + offset) * raised_high(*weights);
            acc[0] = dot_row(lhs + 1, weights + 1, depth - 1, offset, acc[0]);
            weights += (depth + 1) / 2;
            in_byte = (depth & 1) == 0;
        } else {
            acc[0] = dot_row(lhs, weights, depth, offset, acc[0]);
            weights += depth / 2;
            in_byte = (depth & 1) != 0;
        }
        for (int32_t row = 0; row < rows; ++row, ++channel) {
            const int32_t quant = channel * params->quant_step;
            dst[channel] =
                tinyc_requantize_s8_dsp(acc[row], params->multiplier[quant], params->shift[quant], &stage);
        }
    }
}
