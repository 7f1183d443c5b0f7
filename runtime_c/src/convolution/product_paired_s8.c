/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_paired_dsp.h"

TINYC_FN(product_paired_s8)
void tinyc_product_paired_s8(const tinyc_paired_filters *filters, const int8_t *in, int32_t rows, int32_t depth,
    int8_t *out, int32_t channels, int16_t *scratch)
{
    for (; rows > 0; rows -= 2, in += 2 * depth, out += 2 * channels) {
        /* A single last row is computed twice. */
        const int32_t second = rows > 1 ? 1 : 0;
        tinyc_widen_pair_dsp(scratch, in, in + second * depth, depth, 1, 0, 0);
        tinyc_paired_tiles_dsp(filters, scratch, out, out + second * channels);
    }
}
