/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers of run-time operands, and walks over the elements of a tensor.
 */
#ifndef TINYC_INDEX_H
#define TINYC_INDEX_H

#include <stdint.h>
#include <string.h>

/* Element k of an operand of int64_t if `wide`, else int32_t. */
static inline int64_t tinyc_index(const void *operand, int32_t k, int32_t wide)
{
    int64_t whole;
    int32_t half;
    if (wide != 0) {
        memcpy(&whole, (const uint8_t *)operand + 8 * k, sizeof whole);
        return whole;
    }
    memcpy(&half, (const uint8_t *)operand + 4 * k, sizeof half);
    return half;
}

/* Axis k of `axes` (k itself where that is NULL), from 0; -1 where it is none of `rank` or its bit is in *seen. */
static inline int32_t tinyc_axis(const void *axes, int32_t k, int32_t wide, int32_t rank, uint32_t *seen)
{
    int64_t axis = axes != NULL ? tinyc_index(axes, k, wide) : k;
    if (axis < -rank || axis >= rank) {
        return -1;
    }
    if (axis < 0) {
        axis += rank;
    }
    if ((*seen >> (uint32_t)axis & 1U) != 0U) {
        return -1;
    }
    *seen |= (uint32_t)1 << (uint32_t)axis;
    return (int32_t)axis;
}

/* The next place in a tensor, last axis fastest; 0 behind the last one. */
static inline int32_t tinyc_next_place(int32_t *place, const int32_t *extents, int32_t rank)
{
    for (int32_t axis = rank - 1; axis >= 0; axis--) {
        if (++place[axis] < extents[axis]) {
            return 1;
        }
        place[axis] = 0;
    }
    return 0;
}

#endif /* TINYC_INDEX_H */
