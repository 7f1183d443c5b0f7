/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_convolve_image_s8.h"
#include "tinyc_pair_dsp.h"

/* Gathers and widens the input of the output pixel whose first tap is (y, x) into a column of a pair. */
static void gather(const tinyc_convolve_geometry *geometry, const int8_t *input, int32_t offset, int32_t y,
    int32_t x, int16_t *column)
{
    const int32_t tap = geometry->kernel_c;
    const int32_t row = tap * geometry->kernel_w;
    const bool contiguous = tinyc_is_contiguous(geometry, x);
    tinyc_pair_writer writer;
    writer.column = column;
    writer.offset = offset;
    writer.count = 0;
    for (int32_t ky = 0; ky < geometry->kernel_h; ++ky, y += geometry->dilation_h) {
        if (!tinyc_holds_input(y, geometry->input_h, geometry->upscale_h)) {
            tinyc_pair_append(&writer, NULL, row);
            continue;
        }
        if (contiguous) {
            tinyc_pair_append(&writer, tinyc_input_pixel(geometry, input, y, x), row);
            continue;
        }
        for (int32_t kx = 0, tap_x = x; kx < geometry->kernel_w; ++kx, tap_x += geometry->dilation_w) {
            const bool inside = tinyc_holds_input(tap_x, geometry->input_w, geometry->upscale_w);
            tinyc_pair_append(
                &writer, inside ? tinyc_input_pixel(geometry, input, y, tap_x) : NULL, tap);
        }
    }
    tinyc_pair_finish(&writer);
}

TINYC_FN(convolve_image_s8)
void tinyc_convolve_image_s8(const tinyc_convolve_geometry *geometry, const tinyc_mat_mult_s8_params *product,
    const int8_t *input, void *scratch, int8_t *output)
{
    int16_t *const pair = (int16_t *)scratch;
    int8_t *first = output;
    bool waiting = false;
    for (int32_t out_y = 0; out_y < geometry->output_h; ++out_y) {
        const int32_t y = out_y * geometry->stride_h - geometry->pad_h;
        int32_t x = -geometry->pad_w;
        for (int32_t out_x = 0; out_x < geometry->output_w; ++out_x, x += geometry->stride_w) {
            gather(geometry, input, product->lhs_offset, y, x, waiting ? pair + 4 : pair);
            if (waiting) {
                tinyc_mat_mult_pair_dsp(product, pair, first, output);
                first = output + geometry->output_c;
            }
            waiting = !waiting;
            output += geometry->output_c;
        }
    }
    if (waiting) {
        tinyc_mat_mult_pair_dsp(product, pair, first, first);
    }
}
