/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner functions of tinyc_depthwise_3x3_s8 (see tinyc_s8.h).
 *
 * Four channels at a time, the lines of the image that a line of the result needs lie in scratch as planes of int16,
 * one for each channel, with the padding written out. A plane is a sequence of groups of three words; group j has
 * pixels 2 * j and 2 * j + 1 of the three lines, the even pixel in the low half. A line goes where the oldest was, so
 * the three words of a group are the lines in order, rotated.
 */
#ifndef TINYC_DEPTHWISE_3X3_S8_H
#define TINYC_DEPTHWISE_3X3_S8_H

#include "tinyc_runtime.h"

#include <stdint.h>

#define TINYC_DEPTHWISE_LINES 3

#define tinyc_depthwise_widen_s8 tinyc1_depthwise_widen_s8
#define tinyc_depthwise_line_s8 tinyc1_depthwise_line_s8

/* The halves of a word. */
TINYC_INLINE int32_t tinyc_pair(int32_t low, int32_t high)
{
    return (int32_t)(((uint32_t)low & 0xffffu) | (uint32_t)high << 16);
}

/* How a line of the image becomes every third word of the planes: `pad` (0 or 1) pixels of padding, `count` pixels of
 * the image, and padding up to the end of `groups` groups. */
typedef struct {
    int32_t step; /* bytes from one pixel to the next */
    int32_t pad;
    int32_t count;
    int32_t groups;
    int32_t zero_point; /* what padding consists of */
} tinyc_depthwise_widening;

/* One channel. */
TINYC_INLINE void tinyc_depthwise_widen_lane(const tinyc_depthwise_widening *how, const int8_t *line, int32_t *plane)
{
    const int32_t zero = how->zero_point;
    int32_t left = how->count;
    int32_t groups = how->groups;
    if (how->pad != 0 && left > 0) {
        *plane = tinyc_pair(zero, *line);
        line += how->step;
        plane += TINYC_DEPTHWISE_LINES;
        --left;
        --groups;
    }
    for (; left > 0; left -= 2) {
        *plane = tinyc_pair(*line, left > 1 ? line[how->step] : zero);
        line += left > 2 ? 2 * how->step : 0;
        plane += TINYC_DEPTHWISE_LINES;
        --groups;
    }
    for (; groups > 0; --groups) {
        *plane = tinyc_pair(zero, zero);
        plane += TINYC_DEPTHWISE_LINES;
    }
}

/* Four neighbouring channels, whose planes follow one another. One implementation per instruction set. */
void tinyc_depthwise_widen_s8(const tinyc_depthwise_widening *how, const int8_t *line, int32_t *planes);

/* A channel's constants. The assembly knows the order. */
typedef struct {
    int32_t multiplier;
    int32_t half;  /* (2 * output zero point + 1) * 2^(right - 1) */
    int32_t right; /* minus the shift, in [1, 22] */
    int32_t twice_bias;
    int32_t taps[10]; /* rows 0, 1, 2, 0, 1 of the filter, each as (w0, w1), (w1, w2), all of them doubled */
} tinyc_depthwise_channel;

/* What a line of results needs to know. The assembly knows the order. */
typedef struct {
    int32_t row;     /* bytes in taps to the row that goes with the first words of the groups: 0, 8 or 16 */
    int32_t step;    /* bytes from one result to the next */
    int32_t outputs; /* results for each channel */
    int32_t stride;  /* 1 or 2 */
    int32_t plane;   /* bytes from one plane to the next */
    int32_t channels;
} tinyc_depthwise_line;

/* The line for each channel, neighbouring channels in neighbouring bytes, saturated to int8. One implementation per
 * instruction set. */
void tinyc_depthwise_line_s8(
    const tinyc_depthwise_line *line, const tinyc_depthwise_channel *channel, const int32_t *planes, int8_t *output);

#endif /* TINYC_DEPTHWISE_3X3_S8_H */
