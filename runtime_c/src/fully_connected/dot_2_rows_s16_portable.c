/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_s16.h"

TINYC_FN(dot_2_rows_s16)
void tinyc_dot_2_rows_s16(int64_t acc[2], const int16_t *lhs, const int8_t *rows, int32_t second, int32_t depth)
{
    while (depth > 0) {
        const int32_t block = tinyc_min_s32(depth, TINYC_BLOCK_S16);
        int32_t sum0 = 0;
        int32_t sum1 = 0;
        for (int32_t k = 0; k < block; ++k) {
            const int32_t x = *lhs++;
            sum0 += x * rows[0];
            sum1 += x * rows[second];
            ++rows;
        }
        acc[0] += sum0;
        acc[1] += sum1;
        depth -= block;
    }
}
