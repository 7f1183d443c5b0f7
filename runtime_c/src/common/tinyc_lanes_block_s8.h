/* SPDX-License-Identifier: Apache-2.0 */
/* Four pixels of all output channels, from their gathered input: the inner loops of tinyc_lanes.h. */
#ifndef TINYC_LANES_BLOCK_S8_H
#define TINYC_LANES_BLOCK_S8_H

#include "tinyc_lanes.h"

#define tinyc_lanes_block_s8 tinyc1_lanes_block_s8
#define tinyc_even_lanes_block_s8 tinyc1_even_lanes_block_s8
#define tinyc_convolve_lanes_blocks tinyc1_convolve_lanes_blocks

/*
 * columns: for each tap, the word of pixels 0 and 1, then that of pixels 2 and 3. Tables as in tinyc_lanes.h.
 * output: where pixel 0 goes; place: by how many bytes pixels 1 to 3 lie behind it, 0 for those that are not wanted.
 * runs: only where they are not even; taps: of a channel, only where they are.
 * The order and size of the fields are known to tinyc_lanes_block_armv6m.h.
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
    int32_t taps;
} tinyc_lanes_block;

void tinyc_lanes_block_s8(const tinyc_lanes_block *block);

/* With the channels' table of tinyc_convolve_even_lanes_s8. */
void tinyc_even_lanes_block_s8(const tinyc_lanes_block *block);

/* A whole image by one of these. Of the block, weights, tables, output and taps are set. */
void tinyc_convolve_lanes_blocks(const tinyc_lanes_conv *conv, const int8_t *input, uint32_t *columns,
    tinyc_lanes_block *block, void (*multiply)(const tinyc_lanes_block *));

#endif /* TINYC_LANES_BLOCK_S8_H */
