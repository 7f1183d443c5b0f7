/* SPDX-License-Identifier: Apache-2.0 */
/* int8 fully connected layers for cores without SIMD: filters packed for eight outputs at a time. */
#ifndef TINYC_FULLY_CONNECTED_BYTES_H
#define TINYC_FULLY_CONNECTED_BYTES_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_fully_connected_bytes_s8 tinyc1_fully_connected_bytes_s8

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t depth;
    int32_t outputs;
    int32_t multiplier;
    int32_t exponent;
    int32_t output_offset;
    int32_t lowest;
    int32_t highest;
} tinyc_fully_connected_bytes;

/*
 * One row of the input; its depth is a multiple of 16. weights: unsigned, each 128 more than the filter's, as
 * [outputs / 8][depth][8 outputs], the outputs rounded up and filled with 128. bias: for each output, rounded up to
 * eight, less the sum of its weights times the input's zero point. A sum of products is scaled by
 * multiplier * 2^(-exponent - 31), rounded twice as the int8 specification says; exponent in [1, 14]. Sums beyond 20
 * bits and a sign must give a clamped result.
 */
void tinyc_fully_connected_bytes_s8(const tinyc_fully_connected_bytes *layer, const int8_t *input,
    const uint8_t *weights, const int32_t *bias, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_FULLY_CONNECTED_BYTES_H */
