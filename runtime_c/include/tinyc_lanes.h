/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 kernels for cores without SIMD: two pixels share each multiplication.
 *
 * A word x0 + 65536 * x1 holds one channel of two pixels in two lanes; times a weight it holds both products, and such
 * words can be added up as long as the low lane's sum fits 16 bits. The compiler knows the weights and divides the taps
 * of each output channel into runs for which that holds whatever the input; after a run the lanes are taken apart.
 */
#ifndef TINYC_LANES_H
#define TINYC_LANES_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_convolve_lanes_s8 tinyc1_convolve_lanes_s8
#define tinyc_convolve_even_lanes_s8 tinyc1_convolve_even_lanes_s8

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t h;
    int32_t w;
} tinyc_lanes_size;

/* A convolution of one image; all channels of the input go into each channel of the output. */
typedef struct {
    tinyc_lanes_size input;
    tinyc_lanes_size output;
    tinyc_lanes_size kernel;
    tinyc_lanes_size stride;
    tinyc_lanes_size padding; /* above and to the left */
    tinyc_lanes_size dilation;
    int32_t input_channels;
    int32_t output_channels;
    int8_t padding_value; /* the input's zero point */
    int32_t output_offset;
    int32_t lowest;
    int32_t highest;
} tinyc_lanes_conv;

/*
 * How a channel's taps are divided: a byte TINYC_LANES_TAP * (TINYC_LANES_LONGEST - taps) for each run, then
 * TINYC_LANES_END, then the channel's exponent. That is the number of bytes that lanes_block_s8_armv6m.S skips.
 */
enum { TINYC_LANES_TAP = 14, TINYC_LANES_LONGEST = 16, TINYC_LANES_END = 238 };

/*
 * weights: [output channel][kernel h][kernel w][input channel]. runs: see above; within a run the magnitudes of the
 * weights add up to at most 255. channels: for each output channel, the bias less the weights' sum times the input's
 * zero point, and the multiplier. A sum of products is scaled by multiplier * 2^(-exponent - 31), rounded twice as the
 * int8 specification says; exponent in [1, 14]. Sums beyond 20 bits and a sign must give a clamped result.
 * columns: 2 * kernel h * kernel w * input channels words.
 *
 * Output pixels are computed in raster order, each read completely before it is written: the output may lie on the
 * input as far as that allows.
 */
void tinyc_convolve_lanes_s8(const tinyc_lanes_conv *conv, const int8_t *input, const int8_t *weights,
    const uint8_t *runs, const int32_t *channels, int8_t *output, uint32_t *columns);

/*
 * The same with runs of one length in each channel, except for a shorter first one: more runs, but no table of them.
 * channels: for each output channel the bias as above, its runs, and the multiplier. Of the runs' word, byte 0 is for the
 * first run, byte 1 for any other: TINYC_LANES_TAP * (TINYC_LANES_LONGEST - taps). The upper half is 16 * number of runs
 * + exponent.
 */
void tinyc_convolve_even_lanes_s8(const tinyc_lanes_conv *conv, const int8_t *input, const int8_t *weights,
    const int32_t *channels, int8_t *output, uint32_t *columns);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_LANES_H */
