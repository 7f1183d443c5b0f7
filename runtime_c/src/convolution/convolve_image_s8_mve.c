/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_gather_s8.h"

/* Four columns: what the scratch size of Helium's arm_convolve_s8 allows, and a vector of accumulators. */
TINYC_FN(convolve_image_s8)
void tinyc_convolve_image_s8(const tinyc_convolve_geometry *geometry, const tinyc_mat_mult_s8_params *product,
    const int8_t *input, void *scratch, int8_t *output)
{
    tinyc_convolve_image_by_gathering(
        geometry, product, input, (int8_t *)scratch, (product->rhs_cols + 15) & ~15, 4, output);
}
