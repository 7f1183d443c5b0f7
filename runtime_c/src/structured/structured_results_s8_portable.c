/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_structured_results.h"

TINYC_FN(structured_results_s8)
void tinyc_structured_results_s8(
    const tinyc_structured_s8 *layer, int32_t channel, const int32_t *sums, int8_t *out)
{
    tinyc_any_results_s8(layer, channel, sums, out);
}
