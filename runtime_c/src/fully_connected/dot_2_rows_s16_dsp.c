/* SPDX-License-Identifier: Apache-2.0 */
/* Four weights of a word widen to pairs (w0, w2) and (w1, w3); activations are paired alike, once for both rows. */
#include "tinyc_dsp.h"
#include "tinyc_s16.h"

TINYC_INLINE int32_t add_4_products(int32_t sum, int16x2_t even, int16x2_t odd, const int8_t *weights)
{
    const int8x4_t word = tinyc_load_s8x4(weights);
    return __smlad(odd, tinyc_sxtb16_ror8(word), __smlad(even, __sxtb16(word), sum));
}

TINYC_FN(dot_2_rows_s16)
void tinyc_dot_2_rows_s16(int64_t acc[2], const int16_t *lhs, const int8_t *rows, int32_t second, int32_t depth)
{
    while (depth > 0) {
        const int32_t block = tinyc_min_s32(depth, TINYC_BLOCK_S16);
        const int8_t *const end = rows + (block & ~3);
        int32_t sum0 = 0;
        int32_t sum1 = 0;
        for (; rows != end; rows += 4, lhs += 4) {
            int32_t first;
            int32_t last;
            int16x2_t odd;
            memcpy(&first, lhs, sizeof first);
            memcpy(&last, lhs + 2, sizeof last);
            const int16x2_t even = (int16x2_t)tinyc_pkhbt(first, last);
            __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(odd) : "r"(last), "r"(first));
            sum0 = add_4_products(sum0, even, odd, rows);
            sum1 = add_4_products(sum1, even, odd, rows + second);
        }
        for (int32_t k = block & 3; k > 0; --k) {
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
