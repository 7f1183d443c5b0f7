/* SPDX-License-Identifier: Apache-2.0 */
/* A model by hand: output[i] = 2 * input[i], by way of 200 bytes of stack. */
#include "toy.h"

static void twice(const int8_t *input, int8_t *output)
{
    volatile int8_t on_stack[200];
    int i;
    for (i = 0; i < 200; i++) {
        on_stack[i] = input[i % 16];
    }
    for (i = 0; i < 16; i++) {
        output[i] = (int8_t)(on_stack[i] + on_stack[i + 16]);
    }
}

int toy_run(void *arena, const int8_t *input, int8_t *output)
{
    int8_t *const memory = arena;
    int i;
    twice(input, memory + 16);
    for (i = 0; i < 16; i++) {
        output[i] = memory[16 + i];
    }
    return 0;
}
