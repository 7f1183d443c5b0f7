/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_structured.h"

TINYC_FN(convolve_sparse_s8)
void tinyc_convolve_sparse_s8(
    const tinyc_structured_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out)
{
    tinyc_convolve_structured_s8(conv, in, scratch, out, tinyc_sparse_rows_s8);
}
