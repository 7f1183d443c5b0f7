/* SPDX-License-Identifier: Apache-2.0
 *
 * Model main_graph, compiled by tinyc 0.1.0 for cortex-m4.
 */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdint.h>

#include "tinyc/include/tinyc_runtime.h"

#if TINYC_RUNTIME_ABI != 1
#error "digits.h was made for another version of the tinyc runtime: compile the model again"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Results of digits_run. */
#define DIGITS_OK 0
#define DIGITS_E_ARENA (-1)  /* the arena is NULL or not aligned */
#define DIGITS_E_KERNEL (-2) /* a kernel refused its arguments: a mismatched kernel library */
#define DIGITS_E_ARGUMENT (-3) /* an input or output pointer is NULL or not aligned */
#define DIGITS_E_SHAPE (-4) /* an input that shapes depend on does not fit the static shapes */

/* Working memory. DIGITS_ARENA(name) defines it, aligned, in the caller's storage class. */
#define DIGITS_ARENA_BYTES 1296
#define DIGITS_ARENA_ALIGN 8
#define DIGITS_ARENA(name) \
    uint8_t name[DIGITS_ARENA_BYTES ? DIGITS_ARENA_BYTES : 1] __attribute__((aligned(DIGITS_ARENA_ALIGN)))

/* Input image: float32[1x1x8x8] */
#define DIGITS_INPUT_ELEMENTS 64
#define DIGITS_INPUT(arena) ((float *)(void *)((uint8_t *)(arena) + 0))

/* Output logits: float32[1x10] */
#define DIGITS_OUTPUT_ELEMENTS 10
#define DIGITS_OUTPUT(arena) ((float *)(void *)((uint8_t *)(arena) + 0))

/*
 * One inference. Inputs and outputs have slots in the arena, given by the macros above, that share memory with
 * the layers: data in a slot is valid only until the next run (input) or from its end (output).
 * Pass a slot's address to save the copy, or any other pointer; the caller's input is never
 * written. Returns 0 or a negative error.
 */
int digits_run(void *arena_memory, const float *input, float *output);

#ifdef __cplusplus
}
#endif

#endif /* DIGITS_H */
