/* SPDX-License-Identifier: Apache-2.0 */
/* What the layers of tinyc_structured_s8.h have in common. */
#ifndef TINYC_STRUCTURED_H
#define TINYC_STRUCTURED_H

#include "tinyc_requantize.h"
#include "tinyc_structured_s8.h"

#define tinyc_structured_results_s8 tinyc1_structured_results_s8
#define tinyc_convolve_structured_s8 tinyc1_convolve_structured_s8

/* Inputs that a byte can tell apart, and rows that are multiplied together. */
enum { TINYC_SEGMENT = 256, TINYC_ROWS = 4 };

TINYC_INLINE int8_t tinyc_structured_result(const tinyc_structured_s8 *layer, int32_t channel, int32_t sum)
{
    const int32_t scale = layer->scale_step != 0 ? channel : 0;
    return tinyc_requantize_to_s8(
        sum, layer->multiplier[scale], layer->shift[scale], layer->out_zero, layer->min, layer->max);
}

/* The results of one channel for four rows, layer->channels apart. */
void tinyc_structured_results_s8(
    const tinyc_structured_s8 *layer, int32_t channel, const int32_t *sums, int8_t *out);

/* A whole image by one of the functions for several rows. */
void tinyc_convolve_structured_s8(const tinyc_structured_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out,
    void (*multiply)(const tinyc_structured_s8 *, const int8_t *, int32_t, int8_t *));

#endif /* TINYC_STRUCTURED_H */
