/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of multiply_packed_s8_mve.S. */
#include "tinyc_packed_s8.h"
#include "tinyc_requantize.h"

/* Where a filter's byte lies within its group of four. */
static int32_t packed_index(int32_t channel, int32_t k, int32_t depth)
{
    const int32_t vectors = depth / 16;
    const int32_t second = channel & 1;
    const int32_t vector = second ? vectors - 1 - k / 16 : k / 16;
    return ((second * vectors + vector) * 2 + (channel >> 1)) * 16 + k % 16;
}

TINYC_FN(multiply_packed_s8)
void tinyc_multiply_packed_s8(
    const tinyc_packed_product_s8 *product, const int8_t *rows, int32_t count, int8_t *out)
{
    const int32_t depth = product->depth;
    for (int32_t row = 0; row < count; ++row) {
        for (int32_t c = 0; c < product->channels; ++c) {
            const int8_t *const filter = product->filter + c / 4 * 4 * depth;
            const int32_t *const scale = product->scale + c / 4 * 12 + c % 4;
            int32_t acc = scale[0];
            for (int32_t k = 0; k < depth; ++k) {
                acc += rows[row * depth + k] * filter[packed_index(c % 4, k, depth)];
            }
            out[row * product->channels + c] = tinyc_requantize_to_s8(
                acc, scale[4], scale[8], product->out_zero, product->min, product->max);
        }
    }
}
