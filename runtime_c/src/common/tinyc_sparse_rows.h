/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tinyc_sparse_rows_s8 from what the including file has defined: add_segment(filter, x, depth, sums), which adds the
 * products of one segment with four rows, depth bytes apart, to their sums, and returns the next segment.
 */
#ifndef TINYC_SPARSE_ROWS_H
#define TINYC_SPARSE_ROWS_H

#include "tinyc_structured.h"

static inline void tinyc_sparse_four_rows(const tinyc_structured_s8 *layer, const int8_t *rows, int8_t *out)
{
    const uint8_t *filter = layer->filter;
    for (int32_t channel = 0; channel < layer->channels; ++channel, ++out) {
        const int32_t bias = layer->bias[channel];
        int32_t sums[TINYC_ROWS] = {bias, bias, bias, bias};
        for (int32_t at = 0; at < layer->depth; at += TINYC_SEGMENT) {
            filter = add_segment(filter, rows + at, layer->depth, sums);
        }
        tinyc_structured_results_s8(layer, channel, sums, out);
    }
}

TINYC_INLINE void tinyc_sparse_rows(const tinyc_structured_s8 *layer, const int8_t *rows, int32_t count, int8_t *out)
{
    for (; count >= TINYC_ROWS; count -= TINYC_ROWS) {
        tinyc_sparse_four_rows(layer, rows, out);
        rows += TINYC_ROWS * layer->depth;
        out += TINYC_ROWS * layer->channels;
    }
    for (; count > 0; --count) {
        tinyc_sparse_row_s8(layer, rows, out);
        rows += layer->depth;
        out += layer->channels;
    }
}

#endif /* TINYC_SPARSE_ROWS_H */
