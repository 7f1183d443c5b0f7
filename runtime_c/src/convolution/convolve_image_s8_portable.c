/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_gather_s8.h"

TINYC_FN(convolve_image_s8)
void tinyc_convolve_image_s8(const tinyc_convolve_geometry *geometry, const tinyc_mat_mult_s8_params *product,
    const int8_t *input, void *scratch, int8_t *output)
{
    tinyc_convolve_image_by_gathering(
        geometry, product, input, (int8_t *)scratch, product->rhs_cols, 2, output);
}
