/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_structured.h"

/* Adds the products of one segment to the sums of four rows; returns the next one. A function for its registers. */
static __attribute__((noinline)) const uint8_t *add_segment(
    const uint8_t *filter, const int8_t *x0, int32_t depth, int32_t *sums)
{
    const int8_t *const x1 = x0 + depth;
    const int8_t *const x2 = x1 + depth;
    const int8_t *const x3 = x2 + depth;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    int32_t count = *filter++;
    const int8_t *value = (const int8_t *)(filter + count);
    for (; count > 0; --count) {
        const int32_t k = *filter++;
        const int32_t weight = *value++;
        sum0 += x0[k] * weight;
        sum1 += x1[k] * weight;
        sum2 += x2[k] * weight;
        sum3 += x3[k] * weight;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
    return (const uint8_t *)value;
}

#include "tinyc_sparse_rows.h"

TINYC_FN(sparse_rows_s8)
void tinyc_sparse_rows_s8(const tinyc_structured_s8 *layer, const int8_t *rows, int32_t count, int8_t *out)
{
    tinyc_sparse_rows(layer, rows, count, out);
}
