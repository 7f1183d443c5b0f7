/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "tinyc_dynamic.h"
#include "tinyc_index.h"

/* A bound counted from the end where it is negative, then kept between low and high. */
static int64_t bounded(int64_t bound, int64_t extent, int64_t low, int64_t high)
{
    if (bound < 0) {
        bound += extent;
    }
    return bound < low ? low : bound > high ? high : bound;
}

TINYC_FN(slice_any)
int32_t tinyc_slice_any(const tinyc_dynamic_shapes *shapes,
                        const void *x,
                        void *y,
                        const void *starts,
                        const void *ends,
                        const void *axes,
                        const void *steps,
                        int32_t count,
                        int32_t wide)
{
    int32_t first[TINYC_DYNAMIC_RANK];
    int32_t jump[TINYC_DYNAMIC_RANK];
    int32_t place[TINYC_DYNAMIC_RANK] = {0};
    uint32_t seen = 0;
    const int32_t rank = shapes->rank;
    uint8_t *to = (uint8_t *)y;

    for (int32_t axis = 0; axis < rank; axis++) {
        first[axis] = 0;
        jump[axis] = 1;
    }
    for (int32_t k = 0; k < count; k++) {
        const int32_t axis = tinyc_axis(axes, k, wide, rank, &seen);
        int64_t step = steps != NULL ? tinyc_index(steps, k, wide) : 1;
        if (axis < 0 || step == 0) {
            return 1;
        }
        const int64_t extent = shapes->in[axis];
        /* A step beyond the extent takes one element, however long it is. */
        step = step > INT32_MAX ? INT32_MAX : step < -INT32_MAX ? -INT32_MAX : step;
        const int64_t low = step > 0 ? 0 : -1;
        const int64_t high = step > 0 ? extent : extent - 1;
        const int64_t start = bounded(tinyc_index(starts, k, wide), extent, low, high);
        const int64_t end = bounded(tinyc_index(ends, k, wide), extent, low, high);
        const int64_t span = step > 0 ? end - start + step - 1 : start - end - step - 1;
        const int64_t length = span < 0 ? 0 : span / (step > 0 ? step : -step);
        if (length != shapes->out[axis]) {
            return 1;
        }
        first[axis] = (int32_t)start;
        jump[axis] = length > 1 ? (int32_t)step : 0;
    }
    for (int32_t axis = 0; axis < rank; axis++) {
        if ((seen >> (uint32_t)axis & 1U) == 0U && shapes->in[axis] != shapes->out[axis]) {
            return 1;
        }
        if (shapes->out[axis] == 0) {
            return 0;
        }
    }
    do {
        int32_t index = 0;
        for (int32_t axis = 0; axis < rank; axis++) {
            index = index * shapes->in[axis] + first[axis] + place[axis] * jump[axis];
        }
        memcpy(to, (const uint8_t *)x + (size_t)index * (size_t)shapes->element, (size_t)shapes->element);
        to += shapes->element;
    } while (tinyc_next_place(place, shapes->out, rank) != 0);
    return 0;
}
