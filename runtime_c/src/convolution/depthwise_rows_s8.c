/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_row_s8.h"

#include <stdbool.h>

TINYC_FN(depthwise_rows_s8)
void tinyc_depthwise_rows_s8(const tinyc_depthwise_rows *conv, const int8_t *input, const int8_t *weights,
    const uint8_t *exponents, const int32_t *channels, int8_t *output, int32_t *sums)
{
    const int32_t left = conv->padding_w;
    const int32_t last = (conv->output_w - 1) * conv->stride_w - conv->padding_w; /* column where the last window begins */
    const int32_t right = last + 3 > conv->input_w ? 1 : 0;
    tinyc_depthwise_row row = {
        .weights = weights,
        .exponents = exponents,
        .channels = channels,
        .sums = sums,
        .count = conv->channels,
        .left = left,
        .inner = conv->output_w - left - right,
        .right = right,
        .first = left != 0 ? (conv->stride_w - 1) * conv->channels : 0,
        .step = conv->stride_w * conv->channels,
        .padding_value = conv->padding_value,
        .output_offset = conv->output_offset,
        .lowest = conv->lowest,
        .highest = conv->highest,
    };
    const bool backward = TINYC_ADDRESS(output) > TINYC_ADDRESS(input);
    for (int32_t i = 0; i < conv->output_h; ++i) {
        const int32_t y = backward ? conv->output_h - 1 - i : i;
        for (int32_t k = 0; k < 3; ++k) {
            const int32_t line = y * conv->stride_h - conv->padding_h + k;
            /* In place of padding, the image's line next to it, which is under the window as well. */
            const int32_t near = line < 0 ? 0 : line < conv->input_h ? line : conv->input_h - 1;
            row.present[k] = near == line ? 1 : 0;
            row.rows[k] = input + near * conv->input_w * conv->channels;
        }
        row.output = output + y * conv->output_w * conv->channels;
        tinyc_depthwise_row_s8(&row);
    }
}
