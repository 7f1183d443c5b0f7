/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_s8.h"

#include <stdbool.h>
#include <stdint.h>

/* The taps of one dimension that lie inside the input. */
typedef struct {
    int32_t begin;
    int32_t count;
} tap_range;

static tap_range taps_inside(int32_t start, int32_t extent, int32_t taps, int32_t dilation)
{
    tap_range range = {0, taps};
    while (range.count > 0 && start < 0) {
        start += dilation;
        ++range.begin;
        --range.count;
    }
    while (range.count > 0 && start + (range.count - 1) * dilation >= extent) {
        --range.count;
    }
    return range;
}

TINYC_FN(depthwise_image_s8)
void tinyc_depthwise_image_s8(tinyc_depthwise_pixel_fn *pixel, const cmsis_nn_dw_conv_params *conv,
    const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *input_dims, const int8_t *input,
    const cmsis_nn_dims *filter_dims, const int8_t *filter, const int32_t *bias,
    const cmsis_nn_dims *output_dims, int8_t *output)
{
    const int32_t input_c = input_dims->c;
    const int32_t input_row = input_dims->w * input_c;
    const tinyc_depthwise_s8_params params = {
        .bias = bias,
        .multiplier = quant->multiplier,
        .shift = quant->shift,
        .channels = output_dims->c,
        .ch_mult = conv->ch_mult,
        .input_offset = conv->input_offset,
        .output_offset = conv->output_offset,
        .output_min = conv->activation.min,
        .output_max = conv->activation.max,
        .input_step_w = conv->dilation.w * input_c,
        .input_step_h = conv->dilation.h * input_row,
        .filter_step_h = filter_dims->w * output_dims->c,
    };

    /* Like memmove: an output that begins above its input is computed from the end, one below from the
     * beginning, so that input which is still to be read is not overwritten (see the header). */
    const bool backward = TINYC_ADDRESS(output) > TINYC_ADDRESS(input);
    for (int32_t batch = 0; batch < input_dims->n; ++batch) {
        for (int32_t row = 0; row < output_dims->h; ++row) {
            const int32_t out_y = backward ? output_dims->h - 1 - row : row;
            const int32_t y = out_y * conv->stride.h - conv->padding.h;
            const tap_range rows = taps_inside(y, input_dims->h, filter_dims->h, conv->dilation.h);
            int8_t *const out_row = output + out_y * output_dims->w * params.channels;
            for (int32_t column = 0; column < output_dims->w; ++column) {
                const int32_t out_x = backward ? output_dims->w - 1 - column : column;
                const int32_t x = out_x * conv->stride.w - conv->padding.w;
                const tap_range columns = taps_inside(x, input_dims->w, filter_dims->w, conv->dilation.w);
                const tinyc_depthwise_window window = {
                    .input = input + (y + rows.begin * conv->dilation.h) * input_row +
                        (x + columns.begin * conv->dilation.w) * input_c,
                    .filter = filter + rows.begin * params.filter_step_h + columns.begin * params.channels,
                    .taps_h = columns.count > 0 ? rows.count : 0,
                    .taps_w = columns.count,
                };
                pixel(&params, &window, out_row + out_x * params.channels);
            }
        }
        input += input_dims->h * input_row;
        output += output_dims->h * output_dims->w * params.channels;
    }
}
