/* SPDX-License-Identifier: Apache-2.0 */
/* Four pixels of all output channels, from their gathered input: the inner loop of tinyc_convolve_lanes_s8. */
#ifndef TINYC_LANES_BLOCK_S8_H
#define TINYC_LANES_BLOCK_S8_H

#include "tinyc_lanes.h"

#define tinyc_lanes_block_s8 tinyc1_lanes_block_s8

/*
 * columns: for each tap, the word of pixels 0 and 1, then that of pixels 2 and 3. Tables as in tinyc_lanes.h.
 * output: where pixel 0 goes; place: by how many bytes pixels 1 to 3 lie behind it, 0 for those that are not wanted.
 * The order and size of the fields are known to lanes_block_s8_armv6m.S.
 */
typedef struct {
    const uint32_t *columns;
    const int8_t *weights;
    const uint8_t *runs;
    const int32_t *channels;
    int8_t *output;
    int32_t place[3];
    int32_t output_channels;
    int32_t output_offset;
    int32_t lowest;
    int32_t highest;
} tinyc_lanes_block;

void tinyc_lanes_block_s8(const tinyc_lanes_block *block);

#endif /* TINYC_LANES_BLOCK_S8_H */
