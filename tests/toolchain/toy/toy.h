/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOY_H
#define TOY_H

#include <stdint.h>

#define TOY_ARENA_BYTES 64
#define TOY_INPUT(arena) ((int8_t *)(arena))
#define TOY_OUTPUT(arena) ((int8_t *)(arena) + 16)

int toy_run(void *arena, const int8_t *input, int8_t *output);

typedef struct {
    int8_t sum;
} counter_state_t;

void counter_state_init(counter_state_t *state);
int counter_run(void *arena, counter_state_t *state, const int8_t *input, int8_t *output);

#endif
