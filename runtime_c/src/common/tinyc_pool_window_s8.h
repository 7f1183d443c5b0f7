/* SPDX-License-Identifier: Apache-2.0
 *
 * What the int8 poolings share: where a window lies in the image, and the contract of the inner loops.
 */
#ifndef TINYC_POOL_WINDOW_S8_H
#define TINYC_POOL_WINDOW_S8_H

#include "tinyc_nn.h"
#include "tinyc_requantize.h"
#include "tinyc_runtime.h"

#include <stdint.h>

/* The part of a pooling window that lies inside the image: rows x cols pixels of `channels` values. Pixels of a row
 * follow one another; rows are row_stride elements apart. */
typedef struct {
    const int8_t *first;
    int32_t rows, cols;
    int32_t row_stride;
    int32_t channels;
} tinyc_pool_window;

/* The window of an output pixel whose top left corner is image position (y, x), negative in the padding. */
TINYC_INLINE tinyc_pool_window tinyc_pool_window_at(const int8_t *image,
                                                     const cmsis_nn_dims *input_dims,
                                                     const cmsis_nn_dims *filter_dims,
                                                     int32_t y,
                                                     int32_t x)
{
    const int32_t top = tinyc_max_s32(y, 0);
    const int32_t left = tinyc_max_s32(x, 0);
    const int32_t bottom = tinyc_min_s32(y + filter_dims->h, input_dims->h);
    const int32_t right = tinyc_min_s32(x + filter_dims->w, input_dims->w);
    tinyc_pool_window window;
    window.rows = bottom - top;
    window.cols = right - left;
    window.row_stride = input_dims->w * input_dims->c;
    window.channels = input_dims->c;
    window.first = image;
    if (window.rows > 0 && window.cols > 0) {
        window.first += (top * input_dims->w + left) * input_dims->c;
        if (window.cols == input_dims->w) { /* the rows join up */
            window.cols *= window.rows;
            window.rows = 1;
        }
    }
    return window;
}

TINYC_INLINE int8_t tinyc_pool_clamp(int32_t value, const cmsis_nn_activation *activation)
{
    return (int8_t)tinyc_clamp_s32(value, activation->min, activation->max);
}

/* The quotient rounded to nearest, halves away from zero; count > 0. */
TINYC_INLINE int32_t tinyc_pool_mean(int32_t sum, int32_t count)
{
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* Inner loops, one file per instruction set: out[c] = clamp(mean or maximum of channel c over the window), for all
 * channels. The window holds at least one pixel. */
#define tinyc_avgpool_window_s8 tinyc1_avgpool_window_s8
#define tinyc_maxpool_window_s8 tinyc1_maxpool_window_s8
void tinyc_avgpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out);
void tinyc_maxpool_window_s8(const tinyc_pool_window *window, const cmsis_nn_activation *activation, int8_t *out);

#endif
