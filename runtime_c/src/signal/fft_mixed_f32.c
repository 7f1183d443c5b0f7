/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_signal.h"

#include <string.h>

typedef struct {
    float re, im;
} number;

static number plus(number a, number b)
{
    return (number){a.re + b.re, a.im + b.im};
}

static number minus(number a, number b)
{
    return (number){a.re - b.re, a.im - b.im};
}

/* a + f * b + g * c */
static number blend(number a, float f, number b, float g, number c)
{
    return (number){a.re + f * b.re + g * c.re, a.im + f * b.im + g * c.im};
}

/* -i * (f * a + g * b) */
static number aside(float f, number a, float g, number b)
{
    return (number){f * a.im + g * b.im, -(f * a.re + g * b.re)};
}

static void transform3(number *v)
{
    const number sum = plus(v[1], v[2]), difference = minus(v[1], v[2]), none = {0.0f, 0.0f};
    const number middle = blend(v[0], -0.5f, sum, 0.0f, none);
    const number turn = aside(0.8660254037844386f, difference, 0.0f, none);
    v[0] = plus(v[0], sum);
    v[1] = plus(middle, turn);
    v[2] = minus(middle, turn);
}

static void transform4(number *v)
{
    const number a = plus(v[0], v[2]), b = minus(v[0], v[2]), c = plus(v[1], v[3]), d = minus(v[1], v[3]);
    v[0] = plus(a, c);
    v[1] = (number){b.re + d.im, b.im - d.re};
    v[2] = minus(a, c);
    v[3] = (number){b.re - d.im, b.im + d.re};
}

static void transform5(number *v)
{
    const float c1 = 0.30901699437494745f, s1 = 0.9510565162951535f;
    const float c2 = -0.8090169943749475f, s2 = 0.5877852522924731f;
    const number near = plus(v[1], v[4]), far = plus(v[2], v[3]);
    const number near_turn = minus(v[1], v[4]), far_turn = minus(v[2], v[3]);
    const number first = blend(v[0], c1, near, c2, far), second = blend(v[0], c2, near, c1, far);
    const number first_turn = aside(s1, near_turn, s2, far_turn), second_turn = aside(s2, near_turn, -s1, far_turn);
    v[0] = plus(plus(v[0], near), far);
    v[1] = plus(first, first_turn);
    v[2] = plus(second, second_turn);
    v[3] = minus(second, second_turn);
    v[4] = minus(first, first_turn);
}

/* Transforms of `radix` numbers: `done` is the product of the factors before, `inner` that of those behind. Numbers of
 * `turns` are `step` apart. */
static void pass(
    const number *in, number *out, const number *turns, int32_t step, int32_t radix, int32_t done, int32_t inner)
{
    for (int32_t k = 0; k < done; k++) {
        for (int32_t i = 0; i < inner; i++) {
            number v[5];
            for (int32_t b = 0; b < radix; b++) {
                v[b] = in[i + inner * (b + radix * k)];
            }
            if (radix == 2) {
                const number difference = minus(v[0], v[1]);
                v[0] = plus(v[0], v[1]);
                v[1] = difference;
            } else if (radix == 3) {
                transform3(v);
            } else if (radix == 4) {
                transform4(v);
            } else {
                transform5(v);
            }
            out[i + inner * k] = v[0];
            for (int32_t c = 1; c < radix; c++) {
                const number w = turns[c * i * done * step];
                out[i + inner * (k + done * c)] =
                    i == 0 ? v[c] : (number){v[c].re * w.re + v[c].im * w.im, v[c].im * w.re - v[c].re * w.im};
            }
        }
    }
}

TINYC_FN(fft_mixed_f32)
void tinyc_fft_mixed_f32(float *data, float *work, const float *turns, int32_t length, int32_t step)
{
    number *in = (number *)(void *)data, *out = (number *)(void *)work;
    int32_t done = 1, left = length;
    while (left > 1) {
        int32_t radix = 5;
        if (left % 4 == 2) {
            radix = 2;
        } else if (left % 4 == 0) {
            radix = 4;
        } else if (left % 3 == 0) {
            radix = 3;
        }
        left /= radix;
        pass(in, out, (const number *)(const void *)turns, step, radix, done, left);
        done *= radix;
        number *const kept = in;
        in = out;
        out = kept;
    }
    if ((float *)(void *)in != data) {
        memcpy(data, work, (size_t)length * sizeof(number));
    }
}
