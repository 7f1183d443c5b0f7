/* SPDX-License-Identifier: Apache-2.0 */
/* One row of the output of tinyc_depthwise_rows_s8. */
#ifndef TINYC_DEPTHWISE_ROW_S8_H
#define TINYC_DEPTHWISE_ROW_S8_H

#include "tinyc_depthwise_rows.h"

#define tinyc_depthwise_row_s8 tinyc1_depthwise_row_s8

/*
 * rows: the lines of the input under the window, from their first column; another of these lines where `present` is 0,
 * which means padding. left, right: 1 where the first or the last pixel's window leaves the image; inner: pixels in between, the
 * first of which has its window `first` bytes behind the line's begin, the next `step` bytes further on.
 * Tables as in tinyc_depthwise_rows.h. The order and size of the fields are known to depthwise_row_s8_armv6m.S.
 */
typedef struct {
    const int8_t *rows[3];
    int32_t present[3];
    const int8_t *weights;
    const uint8_t *exponents;
    const int32_t *channels;
    int8_t *output;
    int32_t *sums;
    int32_t count; /* of channels */
    int32_t left;
    int32_t inner;
    int32_t right;
    int32_t first;
    int32_t step;
    int32_t padding_value;
    int32_t output_offset;
    int32_t lowest;
    int32_t highest;
} tinyc_depthwise_row;

void tinyc_depthwise_row_s8(const tinyc_depthwise_row *row);

#endif /* TINYC_DEPTHWISE_ROW_S8_H */
