/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops of tinyc_winograd_s8.h. Values of two tiles lie as SMLAD takes them: for each step 16 positions, for
 * each a word of tile 0 and a word of tile 1. Of four channels, a step has the first and the third, the next one the second
 * and the fourth.
 */
#ifndef TINYC_WINOGRAD_DSP_H
#define TINYC_WINOGRAD_DSP_H

#include "tinyc_winograd_s8.h"

#define tinyc_winograd_values_dsp tinyc1_winograd_values_dsp
#define tinyc_winograd_tiles_dsp tinyc1_winograd_tiles_dsp

/* The values of one tile from 4x4 pixels whose rows lie pitch bytes apart. values: 0 or 2 behind the first of all. */
void tinyc_winograd_values_dsp(int16_t *values, const int8_t *in, int32_t channels, int32_t pitch);

/* All filters with two tiles: 2x2 pixels of results each, which lie `pixel` and `row` bytes apart, at out0 and out1. */
void tinyc_winograd_tiles_dsp(const tinyc_paired_filters *filters, const int16_t *values, int8_t *out0, int8_t *out1,
    int32_t pixel, int32_t row);

#endif /* TINYC_WINOGRAD_DSP_H */
