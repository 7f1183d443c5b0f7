/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32_w8.h"

#include "tinyc_dot_f32.h"
#include "tinyc_dot_f32_w8.h"

TINYC_FN(fully_connected_f32_w8)
void tinyc_fully_connected_f32_w8(const float *in,
                                  const int8_t *weights,
                                  const float *scales,
                                  const int8_t *zeros,
                                  const float *bias,
                                  float *out,
                                  int32_t rows,
                                  int32_t depth,
                                  int32_t outputs,
                                  float min,
                                  float max)
{
    for (int32_t row = 0; row < rows; row++) {
        float total = 0.0f; /* what a zero point of 1 takes from a sum */
        if (zeros) {
            for (int32_t i = 0; i < depth; i++) {
                total += in[i];
            }
        }
        for (int32_t first = 0; first < outputs; first += 4) {
            const int32_t channels = outputs - first < 4 ? outputs - first : 4;
            const int8_t *filters[4]; /* the last one again where there are not four */
            float sums[4];
            for (int32_t i = 0; i < 4; i++) {
                filters[i] = weights + (first + (i < channels ? i : channels - 1)) * depth;
            }
            tinyc_dot4_f32_w8(filters, in, depth, sums);
            for (int32_t i = 0; i < channels; i++) {
                const int32_t channel = first + i;
                const float sum = zeros ? sums[i] - (float)zeros[channel] * total : sums[i];
                const float result = sum * scales[channel] + (bias ? bias[channel] : 0.0f);
                out[channel] = tinyc_clamp_f32(result, min, max);
            }
        }
        in += depth;
        out += outputs;
    }
}
