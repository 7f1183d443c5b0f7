/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_f32.h"

/* Four neighbouring columns of one or two rows: b's values are loaded once for both. `second` is a itself, or the
 * next row of a. */
static void multiply_tile(const float *a, const float *second, const float *b, float out[8], int32_t k, int32_t n)
{
    float a0 = 0.0f, a1 = 0.0f, a2 = 0.0f, a3 = 0.0f;
    float b0 = 0.0f, b1 = 0.0f, b2 = 0.0f, b3 = 0.0f;
    for (int32_t i = 0; i < k; i++) {
        const float *row = b + i * n;
        const float v = a[i], u = second[i];
        a0 += v * row[0];
        b0 += u * row[0];
        a1 += v * row[1];
        b1 += u * row[1];
        a2 += v * row[2];
        b2 += u * row[2];
        a3 += v * row[3];
        b3 += u * row[3];
    }
    out[0] = a0;
    out[1] = a1;
    out[2] = a2;
    out[3] = a3;
    out[4] = b0;
    out[5] = b1;
    out[6] = b2;
    out[7] = b3;
}

TINYC_FN(matmul_f32)
void tinyc_matmul_f32(const float *a, const float *b, float *out, int32_t m, int32_t k, int32_t n)
{
    for (int32_t row = 0; row < m; row += 2) {
        const int pair = row + 1 < m;
        const float *first = a + row * k;
        const float *second = pair ? first + k : first;
        float *y = out + row * n;
        int32_t column = 0;
        for (; column + 4 <= n; column += 4) {
            float tile[8];
            multiply_tile(first, second, b + column, tile, k, n);
            for (int32_t i = 0; i < 4; i++) {
                y[column + i] = tile[i];
                if (pair) {
                    y[n + column + i] = tile[4 + i];
                }
            }
        }
        for (; column < n; column++) {
            float sum = 0.0f, next = 0.0f;
            for (int32_t i = 0; i < k; i++) {
                sum += first[i] * b[i * n + column];
                next += second[i] * b[i * n + column];
            }
            y[column] = sum;
            if (pair) {
                y[n + column] = next;
            }
        }
    }
}
