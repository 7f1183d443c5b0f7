/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of widen_pair_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_paired_dsp.h"

static int16_t *append(int16_t *pair, int32_t a0, int32_t b0, int32_t a1, int32_t b1)
{
    pair[0] = (int16_t)a0;
    pair[1] = (int16_t)b0;
    pair[2] = (int16_t)a1;
    pair[3] = (int16_t)b1;
    return pair + 4;
}

static int16_t *widen_row(int16_t *pair, const int8_t *in0, const int8_t *in1, int32_t count)
{
    int32_t k = 0;
    for (; k + 4 <= count; k += 4) {
        pair = append(pair, in0[k], in0[k + 2], in1[k], in1[k + 2]);
        pair = append(pair, in0[k + 1], in0[k + 3], in1[k + 1], in1[k + 3]);
    }
    if (k + 2 <= count) {
        pair = append(pair, in0[k], in0[k + 1], in1[k], in1[k + 1]);
        k += 2;
    }
    if (k < count) {
        pair = append(pair, in0[k], 0, in1[k], 0);
    }
    return pair;
}

TINYC_FN(widen_pair_dsp)
void tinyc_widen_pair_dsp(int16_t *pair, const int8_t *in0, const int8_t *in1, int32_t count, int32_t rows,
    int32_t gap0, int32_t gap1)
{
    for (int32_t row = 0; row < rows; ++row) {
        pair = widen_row(pair, in0 + row * (count + gap0), in1 + row * (count + gap1), count);
    }
}
