/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_structured.h"

/* Adds the products of one channel to the sums of four rows. A function for its registers. */
static __attribute__((noinline)) void add_channel(const uint8_t *filter, const int8_t *table,
    const int8_t *x0, int32_t depth, int32_t *sums)
{
    const int8_t *x1 = x0 + depth;
    const int8_t *x2 = x1 + depth;
    const int8_t *x3 = x2 + depth;
    int32_t sum0 = sums[0];
    int32_t sum1 = sums[1];
    int32_t sum2 = sums[2];
    int32_t sum3 = sums[3];
    for (int32_t pairs = depth >> 1; pairs > 0; --pairs) {
        const uint32_t both = *filter++;
        int32_t weight = table[both & 15u];
        sum0 += *x0++ * weight;
        sum1 += *x1++ * weight;
        sum2 += *x2++ * weight;
        sum3 += *x3++ * weight;
        weight = table[both >> 4];
        sum0 += *x0++ * weight;
        sum1 += *x1++ * weight;
        sum2 += *x2++ * weight;
        sum3 += *x3++ * weight;
    }
    if ((depth & 1) != 0) {
        const int32_t weight = table[*filter];
        sum0 += *x0 * weight;
        sum1 += *x1 * weight;
        sum2 += *x2 * weight;
        sum3 += *x3 * weight;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}

static void four_rows(const tinyc_structured_s8 *layer, const int8_t *rows, int8_t *out)
{
    const uint8_t *filter = layer->filter;
    const int8_t *table = layer->values;
    for (int32_t channel = 0; channel < layer->channels; ++channel, ++out) {
        const int32_t bias = layer->bias[channel];
        int32_t sums[TINYC_ROWS] = {bias, bias, bias, bias};
        add_channel(filter, table, rows, layer->depth, sums);
        tinyc_structured_results_s8(layer, channel, sums, out);
        filter += (layer->depth + 1) >> 1;
        table += layer->table_step;
    }
}

TINYC_FN(clustered_rows_s8)
void tinyc_clustered_rows_s8(const tinyc_structured_s8 *layer, const int8_t *rows, int32_t count, int8_t *out)
{
    for (; count >= TINYC_ROWS; count -= TINYC_ROWS) {
        four_rows(layer, rows, out);
        rows += TINYC_ROWS * layer->depth;
        out += TINYC_ROWS * layer->channels;
    }
    for (; count > 0; --count) {
        tinyc_clustered_row_s8(layer, rows, out);
        rows += layer->depth;
        out += layer->channels;
    }
}
