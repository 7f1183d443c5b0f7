/* SPDX-License-Identifier: Apache-2.0 */
/* In C, for cores with a long multiplication; also the twin of depthwise_row_s8_armv6m.S. */
#include "tinyc_depthwise_row_s8.h"
#include "tinyc_requantize.h"

/* A column of the window: the product of three lines, at the offset `at`, with a column of the weights. */
#define COLUMN(at, k) (top[at] * w[k] + middle[at] * w[3 + (k)] + bottom[at] * w[6 + (k)])

TINYC_FN(depthwise_row_s8)
void tinyc_depthwise_row_s8(const tinyc_depthwise_row *row)
{
    const int32_t next = row->count; /* the same channel of the next column */
    for (int32_t channel = 0; channel < row->count; ++channel) {
        int32_t w[9];
        int32_t missing = 0;
        for (int32_t k = 0; k < 9; ++k) {
            const int32_t weight = row->weights[9 * channel + k];
            w[k] = row->present[k / 3] != 0 ? weight : 0;
            missing += weight - w[k];
        }
        const int8_t *top = row->rows[0] + channel;
        const int8_t *middle = row->rows[1] + channel;
        const int8_t *bottom = row->rows[2] + channel;
        const int32_t bias = row->channels[2 * channel] + missing * row->padding_value;
        const int32_t multiplier = row->channels[2 * channel + 1];
        const int32_t shift = -(int32_t)row->exponents[channel];
        int8_t *output = row->output + channel;
        if (row->left != 0) {
            const int32_t sum = bias + (w[0] + w[3] + w[6]) * row->padding_value + COLUMN(0, 1) + COLUMN(next, 2);
            *output = tinyc_requantize_to_s8(sum, multiplier, shift, row->output_offset, row->lowest, row->highest);
            output += next;
        }
        top += row->first;
        middle += row->first;
        bottom += row->first;
        for (int32_t i = 0; i < row->inner; ++i) {
            const int32_t sum = bias + COLUMN(0, 0) + COLUMN(next, 1) + COLUMN(2 * next, 2);
            *output = tinyc_requantize_to_s8(sum, multiplier, shift, row->output_offset, row->lowest, row->highest);
            output += next;
            top += row->step;
            middle += row->step;
            bottom += row->step;
        }
        if (row->right != 0) {
            const int32_t sum = bias + (w[2] + w[5] + w[8]) * row->padding_value + COLUMN(0, 0) + COLUMN(next, 1);
            *output = tinyc_requantize_to_s8(sum, multiplier, shift, row->output_offset, row->lowest, row->highest);
        }
    }
}
