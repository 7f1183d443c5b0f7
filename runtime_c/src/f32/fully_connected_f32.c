/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

#include "tinyc_dot_f32.h"

TINYC_FN(fully_connected_f32)
void tinyc_fully_connected_f32(const float *in,
                               const float *weights,
                               const float *bias,
                               float *out,
                               int32_t rows,
                               int32_t depth,
                               int32_t outputs,
                               float min,
                               float max)
{
    const tinyc_dot_shape shape = {1, 1, depth, 0, 0, 0, 0};
    for (int32_t row = 0; row < rows; row += 2) {
        const float *x = in + row * depth;
        float *y = out + row * outputs;
        for (int32_t first = 0; first < outputs; first += 4) {
            tinyc_dot_tile tile;
            tinyc_dot_start(&tile, weights, depth, bias, first, outputs);
            if (row + 1 < rows) {
                tinyc_dot4x2_f32(&tile, &shape, x, depth);
                tinyc_dot_store(y + outputs + first, tile.sums + 4, outputs - first, min, max);
            } else {
                tinyc_dot4x1_f32(&tile, &shape, x);
            }
            tinyc_dot_store(y + first, tile.sums, outputs - first, min, max);
        }
    }
}
