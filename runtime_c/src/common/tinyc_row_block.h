/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How tinyc_mat_mult_s8 keeps its promise about overlap where rows are read in place: a block of rows whose
 * results could fall on it is copied first.
 */
#ifndef TINYC_ROW_BLOCK_H
#define TINYC_ROW_BLOCK_H

#include "tinyc_mat_mult_s8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Rows to multiply next: how many, where they are, and how far apart. */
typedef struct {
    const int8_t *data;
    int32_t rows;
    int32_t stride;
} tinyc_row_block;

/*
 * The next block of at most max_rows of the lhs_rows rows at lhs. Rows that begin before results end are
 * copied to buffer (TINYC_ROW_BUFFER_BYTES long) where they fit; the caller never overlaps longer ones.
 */
TINYC_INLINE tinyc_row_block tinyc_take_rows(const tinyc_mat_mult_s8_params *params, const int8_t *lhs,
    int32_t lhs_rows, int32_t lhs_stride, const int8_t *dst, int32_t max_rows, int8_t *buffer)
{
    const int32_t depth = params->rhs_cols;
    tinyc_row_block block = {lhs, lhs_rows < max_rows ? lhs_rows : max_rows, lhs_stride};
    const uintptr_t read_end = TINYC_ADDRESS(lhs) + (uintptr_t)(block.rows * lhs_stride);
    const uintptr_t write_end = TINYC_ADDRESS(dst) + (uintptr_t)(block.rows * params->rhs_rows);
    const bool overlaps = TINYC_ADDRESS(dst) < read_end && TINYC_ADDRESS(lhs) < write_end;

    if (overlaps && depth <= TINYC_ROW_BUFFER_BYTES) {
        while (block.rows * depth > TINYC_ROW_BUFFER_BYTES) {
            --block.rows;
        }
        for (int32_t row = 0; row < block.rows; ++row) {
            memcpy(buffer + row * depth, lhs + row * lhs_stride, (size_t)depth);
        }
        block.data = buffer;
        block.stride = depth;
    }
    return block;
}

/* Whether any of the results could fall on a row: only then a buffer is needed, and room on the stack for it. */
TINYC_INLINE bool tinyc_rows_overlap(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_rows,
    int32_t lhs_stride, const int8_t *dst, int32_t dst_stride)
{
    const uintptr_t read_end = TINYC_ADDRESS(lhs) + (uintptr_t)(lhs_rows * lhs_stride);
    const uintptr_t write_end = TINYC_ADDRESS(dst) + (uintptr_t)(lhs_rows * dst_stride);

    return TINYC_ADDRESS(dst) < read_end && TINYC_ADDRESS(lhs) < write_end &&
        params->rhs_cols <= TINYC_ROW_BUFFER_BYTES;
}

#endif /* TINYC_ROW_BLOCK_H */
