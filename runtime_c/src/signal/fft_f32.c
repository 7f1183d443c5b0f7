/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_signal.h"

/* A complex number in registers. */
typedef struct {
    float re, im;
} number;

/* The number at `place`, times e^(-2 pi i turn / circle); sine has a whole circle, of which `quarter` are a quarter. */
static number turned(const float *re, const float *im, int32_t place, const float *sine, int32_t turn, int32_t quarter)
{
    const float c = sine[turn + quarter], s = sine[turn];
    const float a = re[2 * place], b = im[2 * place];
    return (number){a * c + b * s, b * c - a * s};
}

static void exchange(float *a, float *b)
{
    const float kept = *a;
    *a = *b;
    *b = kept;
}

/* Brings number k to the place whose bits are those of k backwards. */
static void reverse_bits(float *re, float *im, int32_t length)
{
    int32_t other = 0;
    for (int32_t k = 0; k < length - 1; k++) {
        int32_t bit = length >> 1;
        if (k < other) {
            exchange(&re[2 * k], &re[2 * other]);
            exchange(&im[2 * k], &im[2 * other]);
        }
        while (other & bit) {
            other -= bit;
            bit >>= 1;
        }
        other += bit;
    }
}

/* Four transforms of `size` each become one; the numbers are in the order of reversed bits, so the second and the third
 * have changed places. `step`: turns of the table for one of the largest transform. */
static void combine(float *re, float *im, int32_t first, int32_t size, const float *sine, int32_t step, int32_t quarter)
{
    for (int32_t k = 0; k < size; k++) {
        const int32_t p0 = first + k, p1 = p0 + size, p2 = p1 + size, p3 = p2 + size;
        const number a = {re[2 * p0], im[2 * p0]};
        const number b = turned(re, im, p1, sine, 2 * k * step, quarter);
        const number c = turned(re, im, p2, sine, k * step, quarter);
        const number d = turned(re, im, p3, sine, 3 * k * step, quarter);
        const number sum = {a.re + b.re, a.im + b.im}, difference = {a.re - b.re, a.im - b.im};
        const number other = {c.re + d.re, c.im + d.im}, rest = {c.re - d.re, c.im - d.im};
        re[2 * p0] = sum.re + other.re;
        im[2 * p0] = sum.im + other.im;
        re[2 * p1] = difference.re + rest.im;
        im[2 * p1] = difference.im - rest.re;
        re[2 * p2] = sum.re - other.re;
        im[2 * p2] = sum.im - other.im;
        re[2 * p3] = difference.re - rest.im;
        im[2 * p3] = difference.im + rest.re;
    }
}

TINYC_FN(fft_f32)
void tinyc_fft_f32(float *re, float *im, const float *sine, int32_t length, int32_t step)
{
    const int32_t quarter = length * step / 4;
    int32_t size = 1;
    reverse_bits(re, im, length);
    if ((length & 0x55555555) == 0) { /* an odd power of two: pairs first */
        for (int32_t k = 0; k < length; k += 2) {
            const float a = re[2 * k], b = im[2 * k], c = re[2 * k + 2], d = im[2 * k + 2];
            re[2 * k] = a + c;
            im[2 * k] = b + d;
            re[2 * k + 2] = a - c;
            im[2 * k + 2] = b - d;
        }
        size = 2;
    }
    for (; size < length; size *= 4) {
        const int32_t turn = step * (length / (4 * size));
        for (int32_t first = 0; first < length; first += 4 * size) {
            combine(re, im, first, size, sine, turn, quarter);
        }
    }
}
