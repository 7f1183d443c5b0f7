/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops of tinyc_paired_s8.h. A pair holds the activations of two pixels, widened to int16, in the order in
 * which SMLAD takes them: for each step a word of pixel 0 and a word of pixel 1.
 */
#ifndef TINYC_PAIRED_DSP_H
#define TINYC_PAIRED_DSP_H

#include "tinyc_paired_s8.h"

#define tinyc_paired_tiles_dsp tinyc1_paired_tiles_dsp
#define tinyc_widen_pair_dsp tinyc1_widen_pair_dsp

/* All filters with a pair: 4 * count results, less what tiles repeat, at out0 for pixel 0 and out1 for pixel 1.
 * Where both are the same address, the results of pixel 0 remain. */
void tinyc_paired_tiles_dsp(const tinyc_paired_filters *filters, const int16_t *pair, int8_t *out0, int8_t *out1);

/*
 * `rows` rows of count values of each pixel as a pair; between rows lie gap0 bytes of pixel 0 and gap1 of pixel 1. Of four
 * values, a step has the first and the third, the next one the second and the fourth; at the end of a row a step has two,
 * and the last a single value and zero. What lies at the end of the pair may be in1, without a gap.
 */
void tinyc_widen_pair_dsp(int16_t *pair, const int8_t *in0, const int8_t *in1, int32_t count, int32_t rows,
    int32_t gap0, int32_t gap1);

#endif /* TINYC_PAIRED_DSP_H */
