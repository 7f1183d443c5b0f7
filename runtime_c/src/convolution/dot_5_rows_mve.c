/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of dot_5_rows_mve.S: what it computes, for reading and for tests. */
#include "tinyc_dot_rows_mve.h"
#include "tinyc_runtime.h"

TINYC_FN(dot_5_rows_mve)
int32_t tinyc_dot_5_rows_mve(
    int32_t acc[5], const int8_t *rows, int32_t stride, const int8_t *vector, int32_t depth)
{
    int32_t total = 0;
    for (int32_t k = 0; k < depth; ++k) {
        total += vector[k];
    }
    for (int32_t row = 0; row < 5; ++row) {
        acc[row] = 0;
        for (int32_t k = 0; k < depth; ++k) {
            acc[row] += rows[row * stride + k] * vector[k];
        }
    }
    return total;
}
