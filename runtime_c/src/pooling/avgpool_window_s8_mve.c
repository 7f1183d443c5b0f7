/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pool_window_s8.h"

#include <arm_mve.h>

/*
 * Division by the number of pixels as a multiplication: with m = ceil(2^32 / count), n * m / 2^32 truncates to
 * n / count wherever n * count < 2^32. Here n <= 128.5 * count.
 */
#define LARGEST_RECIPROCAL_COUNT 4096

typedef struct {
    int32_t count;
    uint32_t reciprocal; /* 0: divide */
    int32_t min, max;
} mean_params;

/* Four means, rounded and clamped. */
static inline int32x4_t mean(int32x4_t sums, const mean_params *p)
{
    const uint32x4_t numerator = vaddq_n_u32((uint32x4_t)vabsq_s32(sums), (uint32_t)p->count / 2);
    uint32x4_t quotient;
    int32x4_t result;
    if (p->reciprocal != 0) {
        quotient = vmulhq_u32(numerator, vdupq_n_u32(p->reciprocal));
    } else {
        uint32_t lanes[4];
        vst1q_u32(lanes, numerator);
        for (int32_t i = 0; i < 4; i++) {
            lanes[i] /= (uint32_t)p->count;
        }
        quotient = vld1q_u32(lanes);
    }
    result = (int32x4_t)quotient;
    result = vnegq_m_s32(result, result, vcmpltq_n_s32(sums, 0));
    return vminq_s32(vmaxq_s32(result, vdupq_n_s32(p->min)), vdupq_n_s32(p->max));
}

/* Sixteen channels. */
static void average_16(const tinyc_pool_window *window, int32_t channel, const mean_params *p, int8_t *out)
{
    const int8_t *row = window->first + channel;
    const int32_t end = window->cols * window->channels;
    int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
    for (int32_t y = window->rows; y > 0; y--) {
        for (int32_t at = 0; at < end; at += window->channels) {
            const int8_t *pixel = row + at;
            s0 = vaddq_s32(s0, vldrbq_s32(pixel));
            s1 = vaddq_s32(s1, vldrbq_s32(pixel + 4));
            s2 = vaddq_s32(s2, vldrbq_s32(pixel + 8));
            s3 = vaddq_s32(s3, vldrbq_s32(pixel + 12));
        }
        if (y > 1) {
            row += window->row_stride;
        }
    }
    vstrbq_s32(out, mean(s0, p));
    vstrbq_s32(out + 4, mean(s1, p));
    vstrbq_s32(out + 8, mean(s2, p));
    vstrbq_s32(out + 12, mean(s3, p));
}

/* Up to four channels. */
static void average_4(const tinyc_pool_window *window, int32_t channel, const mean_params *p, int8_t *out)
{
    const mve_pred16_t lanes = vctp32q((uint32_t)(window->channels - channel));
    const int8_t *row = window->first + channel;
    const int32_t end = window->cols * window->channels;
    int32x4_t sums = vdupq_n_s32(0);
    for (int32_t y = window->rows; y > 0; y--) {
        for (int32_t at = 0; at < end; at += window->channels) {
            sums = vaddq_s32(sums, vldrbq_z_s32(row + at, lanes));
        }
        if (y > 1) {
            row += window->row_stride;
        }
    }
    vstrbq_p_s32(out, mean(sums, p), lanes);
}

TINYC_FN(avgpool_window_s8)
void tinyc_avgpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out)
{
    const uint32_t count = (uint32_t)(window->rows * window->cols);
    const mean_params p = {
        .count = (int32_t)count,
        .reciprocal = count > 1 && count <= LARGEST_RECIPROCAL_COUNT ? UINT32_MAX / count + 1 : 0,
        .min = activation->min,
        .max = activation->max,
    };
    int32_t channel = 0;
    for (; channel + 16 <= window->channels; channel += 16) {
        average_16(window, channel, &p, out + channel);
    }
    for (; channel < window->channels; channel += 4) {
        average_4(window, channel, &p, out + channel);
    }
}
