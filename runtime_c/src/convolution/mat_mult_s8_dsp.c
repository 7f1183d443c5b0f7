/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pair_dsp.h"

/* Depth up to which two widened rows fit the row buffer. */
#define PAIR_DEPTH (TINYC_ROW_BUFFER_BYTES / 4)

TINYC_FN(mat_mult_s8)
void tinyc_mat_mult_s8(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int32_t lhs_rows,
    int32_t lhs_stride, int8_t *dst, int32_t dst_stride)
{
    const int32_t depth = params->rhs_cols;
    int32_t buffer[TINYC_ROW_BUFFER_BYTES / 4];

    if (depth <= PAIR_DEPTH) {
        int16_t *const pair = (int16_t *)(void *)buffer;
        for (; lhs_rows > 1; lhs_rows -= 2) {
            for (int32_t column = 0; column < 2; ++column) {
                tinyc_pair_writer writer;
                writer.column = pair + 4 * column;
                writer.offset = params->lhs_offset;
                writer.count = 0;
                tinyc_pair_append(&writer, lhs + column * lhs_stride, depth);
                tinyc_pair_finish(&writer);
            }
            tinyc_mat_mult_pair_dsp(params, pair, dst, dst + dst_stride);
            lhs += 2 * lhs_stride;
            dst += 2 * dst_stride;
        }
    }
    for (int32_t row = 0; row < lhs_rows; ++row) {
        const int8_t *source = lhs;
        if (depth <= TINYC_ROW_BUFFER_BYTES) {
            source = memcpy(buffer, lhs, (size_t)depth);
        }
        tinyc_vec_mat_s8(params, source, dst);
        lhs += lhs_stride;
        dst += dst_stride;
    }
}
