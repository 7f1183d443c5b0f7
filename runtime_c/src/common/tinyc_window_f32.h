/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_WINDOW_F32_H
#define TINYC_WINDOW_F32_H

#include <stdint.h>

/* One dimension of a window laid over an image: tap t reads position start + t * dilation, which lies inside the
 * image exactly for begin <= t < end. */
typedef struct {
    int32_t start, begin, end;
} tinyc_window;

static inline tinyc_window tinyc_window_of(int32_t start, int32_t dilation, int32_t size, int32_t taps)
{
    tinyc_window window = {start, 0, 0};
    if (start < 0) {
        window.begin = (dilation - 1 - start) / dilation;
    }
    if (start < size) {
        window.end = (size - start + dilation - 1) / dilation;
    }
    if (window.end > taps) {
        window.end = taps;
    }
    if (window.end < window.begin) {
        window.end = window.begin;
    }
    return window;
}

#endif
