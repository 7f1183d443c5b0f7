/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_lanes_block_s8.h"

#include <stdbool.h>
#include <stddef.h>

/* Pixels of a block. */
enum { PIXELS = 4 };

/* count words of two pixels' channels, every second one; step: 0 where the source is one value for all. */
static void pack(const int8_t *first, int32_t first_step, const int8_t *second, int32_t second_step, int32_t count,
    uint32_t *words)
{
    for (; count > 0; --count) {
        *words = (uint32_t)(int32_t)*first + ((uint32_t)(int32_t)*second << 16);
        first += first_step;
        second += second_step;
        words += 2;
    }
}

static bool inside(int32_t start, int32_t reach, int32_t extent)
{
    return start >= 0 && start + reach <= extent;
}

/* The input of two output pixels, whose windows begin at (y[0], x[0]) and (y[1], x[1]), into every second word. */
static void gather(const tinyc_lanes_conv *conv, const int8_t *input, const int32_t *y, const int32_t *x, uint32_t *words)
{
    const int32_t channels = conv->input_channels;
    const int32_t reach = (conv->kernel.w - 1) * conv->dilation.w + 1;
    const bool whole = conv->dilation.w == 1 && inside(x[0], reach, conv->input.w) && inside(x[1], reach, conv->input.w);
    for (int32_t row = 0; row < conv->kernel.h; ++row) {
        const int8_t *line[2];
        for (int32_t i = 0; i < 2; ++i) {
            const int32_t at = y[i] + row * conv->dilation.h;
            line[i] = inside(at, 1, conv->input.h) ? input + at * conv->input.w * channels : NULL;
        }
        if (whole && line[0] != NULL && line[1] != NULL) {
            const int32_t count = conv->kernel.w * channels;
            pack(line[0] + x[0] * channels, 1, line[1] + x[1] * channels, 1, count, words);
            words += 2 * count;
            continue;
        }
        for (int32_t column = 0; column < reach; column += conv->dilation.w) {
            const int8_t *source[2];
            int32_t step[2];
            for (int32_t i = 0; i < 2; ++i) {
                const bool exists = line[i] != NULL && inside(x[i] + column, 1, conv->input.w);
                source[i] = exists ? line[i] + (x[i] + column) * channels : &conv->padding_value;
                step[i] = exists ? 1 : 0;
            }
            pack(source[0], step[0], source[1], step[1], channels, words);
            words += 2 * channels;
        }
    }
}

TINYC_FN(convolve_lanes_blocks)
void tinyc_convolve_lanes_blocks(const tinyc_lanes_conv *conv, const int8_t *input, uint32_t *columns,
    tinyc_lanes_block *block, void (*multiply)(const tinyc_lanes_block *))
{
    block->columns = columns;
    block->output_channels = conv->output_channels;
    block->output_offset = conv->output_offset;
    block->lowest = conv->lowest;
    block->highest = conv->highest;
    const int32_t right = conv->output.w * conv->stride.w - conv->padding.w;
    int32_t next_y = -conv->padding.h;
    int32_t next_x = -conv->padding.w;
    for (int32_t left = conv->output.h * conv->output.w; left > 0; left -= PIXELS) {
        int32_t y[PIXELS] = {next_y};
        int32_t x[PIXELS] = {next_x};
        int32_t place = 0;
        for (int32_t i = 0; i < PIXELS; ++i) {
            y[i] = i < left ? next_y : y[0];
            x[i] = i < left ? next_x : x[0];
            if (i > 0) {
                place = i < left ? place + conv->output_channels : 0;
                block->place[i - 1] = place;
            }
            next_x += conv->stride.w;
            if (next_x == right) {
                next_x = -conv->padding.w;
                next_y += conv->stride.h;
            }
        }
        gather(conv, input, y, x, columns);
        gather(conv, input, y + 2, x + 2, columns + 1);
        multiply(block);
        block->output += PIXELS * conv->output_channels;
    }
}
