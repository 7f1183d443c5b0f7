/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "tinyc_dynamic.h"
#include "tinyc_index.h"

/* The element among `kept` that stands for place `at` outside them; -1 for the constant. */
static int32_t source(int32_t at, int32_t kept, int32_t mode)
{
    if (mode == TINYC_PAD_EDGE) {
        return at < 0 ? 0 : kept - 1;
    }
    if (mode == TINYC_PAD_REFLECT) {
        return at < 0 ? -at : 2 * (kept - 1) - at;
    }
    if (mode == TINYC_PAD_WRAP) {
        return at < 0 ? at + kept : at - kept;
    }
    return -1;
}

TINYC_FN(pad_any)
int32_t tinyc_pad_any(const tinyc_dynamic_shapes *shapes,
                      const void *x,
                      void *y,
                      const void *pads,
                      const void *value,
                      const void *axes,
                      int32_t count,
                      int32_t wide,
                      int32_t mode)
{
    int32_t before[TINYC_DYNAMIC_RANK] = {0};
    int32_t after[TINYC_DYNAMIC_RANK] = {0};
    int32_t kept[TINYC_DYNAMIC_RANK];
    int32_t place[TINYC_DYNAMIC_RANK] = {0};
    uint32_t seen = 0;
    const int32_t rank = shapes->rank;
    const size_t size = (size_t)shapes->element;
    uint8_t *to = (uint8_t *)y;
    int32_t empty = 0;

    for (int32_t k = 0; k < count; k++) {
        const int32_t axis = tinyc_axis(axes, k, wide, rank, &seen);
        const int64_t begin = tinyc_index(pads, k, 1);
        const int64_t end = tinyc_index(pads, count + k, 1);
        const int64_t limit = (int64_t)1 << 29;
        if (axis < 0 || begin < -limit || begin > limit || end < -limit || end > limit) {
            return 1;
        }
        before[axis] = (int32_t)begin;
        after[axis] = (int32_t)end;
    }
    for (int32_t axis = 0; axis < rank; axis++) {
        const int32_t more = before[axis] > after[axis] ? before[axis] : after[axis];
        kept[axis] = shapes->in[axis] + (before[axis] < 0 ? before[axis] : 0) + (after[axis] < 0 ? after[axis] : 0);
        if (shapes->in[axis] + before[axis] + after[axis] != shapes->out[axis] || kept[axis] < 0 ||
            (mode == TINYC_PAD_EDGE && kept[axis] == 0 && more > 0) ||
            (mode == TINYC_PAD_REFLECT && more > kept[axis] - 1) || (mode == TINYC_PAD_WRAP && more > kept[axis])) {
            return 1;
        }
        if (shapes->out[axis] == 0) {
            empty = 1;
        }
    }
    if (empty != 0) {
        return 0;
    }
    do {
        int32_t index = 0;
        int32_t inside = 1;
        for (int32_t axis = 0; axis < rank; axis++) {
            int32_t at = place[axis] - (before[axis] > 0 ? before[axis] : 0);
            if (at < 0 || at >= kept[axis]) {
                at = source(at, kept[axis], mode);
                inside = at < 0 ? 0 : inside;
            }
            index = index * shapes->in[axis] + at + (before[axis] < 0 ? -before[axis] : 0);
        }
        memcpy(to, inside != 0 ? (const uint8_t *)x + (size_t)index * size : (const uint8_t *)value, size);
        to += size;
    } while (tinyc_next_place(place, shapes->out, rank) != 0);
    return 0;
}
