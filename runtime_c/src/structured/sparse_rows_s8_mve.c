/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_sparse_mve.h"

/* Adds the products of one segment to the sums of four rows; returns the next one. */
static const uint8_t *add_segment(const uint8_t *filter, const int8_t *x, int32_t depth, int32_t *sums)
{
    const int32_t stored = *filter++;
    const int8_t *const value = (const int8_t *)(filter + stored);
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (int32_t k = 0; k < stored; k += 16) {
        const tinyc_stored_weights weights = tinyc_load_stored(filter + k, value + k, stored - k);
        sum0 = tinyc_add_stored(sum0, x, weights);
        sum1 = tinyc_add_stored(sum1, x + depth, weights);
        sum2 = tinyc_add_stored(sum2, x + 2 * depth, weights);
        sum3 = tinyc_add_stored(sum3, x + 3 * depth, weights);
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
    return filter + 2 * stored;
}

#include "tinyc_sparse_rows.h"

TINYC_FN(sparse_rows_s8)
void tinyc_sparse_rows_s8(const tinyc_structured_s8 *layer, const int8_t *rows, int32_t count, int8_t *out)
{
    tinyc_sparse_rows(layer, rows, count, out);
}
