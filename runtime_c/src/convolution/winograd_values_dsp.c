/* SPDX-License-Identifier: Apache-2.0 */
/* The C twin of winograd_values_dsp.S: what it computes, for reading and for tests. */
#include "tinyc_winograd_dsp.h"

static void along_axis(const int32_t d[4], int32_t values[4])
{
    values[0] = d[1] + d[2];
    values[1] = d[2] - d[1];
    values[2] = d[0] - d[2];
    values[3] = d[3] - d[1];
}

TINYC_FN(winograd_values_dsp)
void tinyc_winograd_values_dsp(int16_t *values, const int8_t *in, int32_t channels, int32_t pitch)
{
    for (int32_t channel = 0; channel < channels; ++channel) {
        int32_t down[4][4]; /* [column][row] */
        for (int32_t x = 0; x < 4; ++x) {
            int32_t d[4];
            for (int32_t y = 0; y < 4; ++y) {
                d[y] = in[y * pitch + x * channels + channel];
            }
            along_axis(d, down[x]);
        }
        int16_t *const step = values + 64 * (2 * (channel >> 2) + (channel & 1)) + ((channel >> 1) & 1);
        for (int32_t row = 0; row < 4; ++row) {
            const int32_t d[4] = {down[0][row], down[1][row], down[2][row], down[3][row]};
            int32_t across[4];
            along_axis(d, across);
            for (int32_t column = 0; column < 4; ++column) {
                step[4 * (4 * column + row)] = (int16_t)across[column];
            }
        }
    }
}
