/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "tinyc_nn.h"
#include "tinyc_recurrent_s8.h"
#include "tinyc_requantize.h"

#define UNITS 4 /* computed side by side */

static int32_t saturate_s16(int32_t value)
{
    return tinyc_clamp_s32(value, -32768, 32767);
}

/* Sigmoid or tanh (2 * sigmoid(2x) - 1) of x * 2^(left_shift - 12), with 15 fractional bits. */
static int32_t activation_s16(int32_t x, int32_t left_shift, arm_nn_activation_type type)
{
    const int32_t fraction = type == ARM_SIGMOID ? 9 : 8;
    const int32_t right_shift = left_shift < 0 ? -left_shift : 0;
    const int32_t rounding = right_shift > 0 ? (int32_t)1 << (right_shift - 1) : 0;
    const int32_t scaled = (x * (left_shift < 0 ? 3 : 3 << left_shift) + rounding) >> right_shift;
    const int32_t magnitude = scaled < 0 ? -scaled : scaled;
    const int32_t place = magnitude >> fraction;
    int32_t value = type == ARM_SIGMOID ? 0x7fff << 10 : 0xffff << 8;
    if (place < 255) {
        const int32_t low = tinyc_lstm_sigmoid_u16[place];
        const int32_t rest = magnitude & (((int32_t)1 << fraction) - 1);
        value = (low << fraction) + rest * (tinyc_lstm_sigmoid_u16[place + 1] - low);
    }
    if (type == ARM_SIGMOID) {
        return (scaled >= 0 ? value + 512 : ((int32_t)1 << 25) - value + 511) >> 10;
    }
    return (scaled >= 0 ? value - ((int32_t)1 << 23) + 128 : ((int32_t)1 << 23) - value + 127) >> 8;
}

/* Adds the products of `units` rows with x, brought to the gate's scale. */
static void add_products(int32_t gate[UNITS], const int8_t *x, const int8_t *weights, const int32_t *bias,
    int32_t depth, int32_t units, int32_t multiplier, int32_t shift)
{
    int32_t sums[UNITS];
    memcpy(sums, bias, (size_t)units * sizeof *bias);
    if (units == UNITS) {
        tinyc_dot_4_rows_s8(sums, x, weights, depth);
    } else {
        for (int32_t i = 0; i < units; i++) {
            for (int32_t k = 0; k < depth; k++) {
                sums[i] += x[k] * weights[i * depth + k];
            }
        }
    }
    for (int32_t i = 0; i < units; i++) {
        gate[i] = saturate_s16(gate[i] + tinyc_requantize(sums[i], multiplier, shift));
    }
}

/* A gate of units first, first + 1, ... `h` is NULL before the first step. */
static void lstm_gate(int32_t gate[UNITS], const cmsis_nn_lstm_params *params, const cmsis_nn_lstm_gate *of,
    const int8_t *x, const int8_t *h, int32_t first, int32_t units)
{
    const int32_t inputs = params->input_size, hidden = params->hidden_size;
    memset(gate, 0, UNITS * sizeof *gate);
    add_products(gate, x, (const int8_t *)of->input_weights + first * inputs,
        (const int32_t *)of->input_effective_bias + first, inputs, units, of->input_multiplier, of->input_shift);
    if (h != NULL) {
        add_products(gate, h, (const int8_t *)of->hidden_weights + first * hidden,
            (const int32_t *)of->hidden_effective_bias + first, hidden, units, of->hidden_multiplier,
            of->hidden_shift);
    }
    for (int32_t i = 0; i < units; i++) {
        gate[i] = activation_s16(gate[i], 0, of->activation_type);
    }
}

/* One step of one sequence. */
static void lstm_step(
    const cmsis_nn_lstm_params *params, const int8_t *x, const int8_t *h, int8_t *output, int16_t *cell)
{
    const int32_t clip = params->cell_clip > 0 ? params->cell_clip : 32767;
    const int32_t lowest = params->cell_clip > 0 ? -clip : -32768;
    for (int32_t first = 0; first < params->hidden_size; first += UNITS) {
        const int32_t units = tinyc_min_s32(UNITS, params->hidden_size - first);
        int32_t forget[UNITS], input[UNITS], candidate[UNITS], out[UNITS];
        lstm_gate(forget, params, &params->forget_gate, x, h, first, units);
        lstm_gate(input, params, &params->input_gate, x, h, first, units);
        lstm_gate(candidate, params, &params->cell_gate, x, h, first, units);
        lstm_gate(out, params, &params->output_gate, x, h, first, units);
        for (int32_t i = 0; i < units; i++) {
            int16_t *state = cell + first + i;
            const int32_t kept = saturate_s16(tinyc_requantize(
                forget[i] * *state, params->forget_to_cell_multiplier, params->forget_to_cell_shift));
            const int32_t added = tinyc_requantize(
                input[i] * candidate[i], params->input_to_cell_multiplier, params->input_to_cell_shift);
            *state = (int16_t)tinyc_clamp_s32(kept + added, lowest, clip);
            output[first + i] = tinyc_requantize_to_s8(
                out[i] * activation_s16(*state, params->cell_scale_power + 12, ARM_TANH), params->output_multiplier,
                params->output_shift, params->output_offset, -128, 127);
        }
    }
}

/* buffers->cell_state has [batch_size][hidden_size] int16; temp1 and temp2 are not used. */
TINYC_FN(arm_lstm_unidirectional_s8)
arm_cmsis_nn_status tinyc_arm_lstm_unidirectional_s8(
    const int8_t *input, int8_t *output, const cmsis_nn_lstm_params *params, cmsis_nn_lstm_context *buffers)
{
    const int32_t hidden = params->hidden_size;
    /* From one step to the next, and from one sequence to the next, in rows. */
    const int32_t step = params->time_major ? params->batch_size : 1;
    const int32_t sequence = params->time_major ? 1 : params->time_steps;
    int16_t *cell = buffers->cell_state;
    memset(cell, 0, (size_t)(params->batch_size * hidden) * sizeof *cell);
    for (int32_t batch = 0; batch < params->batch_size; batch++) {
        const int8_t *h = NULL;
        for (int32_t t = 0; t < params->time_steps; t++) {
            const int32_t row = batch * sequence + t * step;
            lstm_step(params, input + row * params->input_size, h, output + row * hidden, cell + batch * hidden);
            h = output + row * hidden;
        }
    }
    return ARM_CMSIS_NN_SUCCESS;
}
