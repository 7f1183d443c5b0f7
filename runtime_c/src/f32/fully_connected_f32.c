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
    for (int32_t row = 0; row < rows; row += 2) {
        const float *x = in + row * depth;
        float *y = out + row * outputs;
        for (int32_t first = 0; first < outputs; first += 4) {
            const float *w[4];
            tinyc_dot4 acc[2];
            tinyc_dot4_rows(w, weights, depth, first, outputs);
            acc[0] = tinyc_dot4_bias(bias, first, outputs);
            acc[1] = acc[0];
            if (row + 1 < rows) {
                tinyc_dot4x2(acc, x, x + depth, w, depth);
                tinyc_dot4_store(y + outputs + first, acc[1], outputs - first, min, max);
            } else {
                acc[0] = tinyc_dot4x1(acc[0], x, w, depth);
            }
            tinyc_dot4_store(y + first, acc[0], outputs - first, min, max);
        }
    }
}
