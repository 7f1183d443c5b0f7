/* SPDX-License-Identifier: Apache-2.0 */
/* Eight outputs of a fully connected layer: the inner loop of tinyc_fully_connected_bytes_s8. */
#ifndef TINYC_EIGHT_OUTPUTS_S8_H
#define TINYC_EIGHT_OUTPUTS_S8_H

#include "tinyc_fully_connected_bytes.h"

#define tinyc_eight_outputs_s8 tinyc1_eight_outputs_s8

/*
 * input: up to `end`, a multiple of 16 further on. correction: what comes to each output's bias, -128 times the input's
 * sum. Tables as in tinyc_fully_connected_bytes.h; an output for each of
 * `results`, eight at most. The order and size of the fields are known to eight_outputs_s8_armv6m.S.
 */
typedef struct {
    const int8_t *input;
    const int8_t *end;
    const uint8_t *weights;
    const int32_t *bias;
    int8_t *output;
    int32_t results;
    int32_t correction;
    int32_t multiplier;
    int32_t exponent;
    int32_t output_offset;
    int32_t lowest;
    int32_t highest;
} tinyc_eight_outputs;

void tinyc_eight_outputs_s8(const tinyc_eight_outputs *outputs);

#endif /* TINYC_EIGHT_OUTPUTS_S8_H */
