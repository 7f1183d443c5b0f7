/* SPDX-License-Identifier: Apache-2.0 */
/* Classifies images of handwritten digits and reports over the UART. */
#include <stddef.h>
#include <stdint.h>

#include "digits.h"
#include "images.h"
#include "uart.h"

static DIGITS_ARENA(arena);

/* The digit with the largest logit, or a negative error of digits_run. */
static int classify(const uint8_t image[IMAGE_PIXELS])
{
    /* The model's own slots in the arena: no memory of ours, and no copy. */
    float *const input = DIGITS_INPUT(arena);
    const float *const logits = DIGITS_OUTPUT(arena);
    int best = 0;
    int status;
    size_t i;

    for (i = 0; i < IMAGE_PIXELS; i++) {
        input[i] = (float)image[i] / 16.0f;
    }
    status = digits_run(arena, input, DIGITS_OUTPUT(arena));
    if (status != DIGITS_OK) {
        return status;
    }
    for (i = 1; i < DIGITS_OUTPUT_ELEMENTS; i++) {
        if (logits[i] > logits[best]) {
            best = (int)i;
        }
    }
    return best;
}

/* Ends QEMU through semihosting; a board goes on to its next task instead. */
static void finish(int failed)
{
#ifdef FIRMWARE_IN_QEMU
    const uint32_t arguments[2] = {0x20026u /* ADP_Stopped_ApplicationExit */, failed != 0 ? 1u : 0u};
    register uint32_t operation __asm__("r0") = 0x20u; /* SYS_EXIT_EXTENDED */
    register const uint32_t *pointer __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xAB" : : "r"(operation), "r"(pointer) : "memory");
#else
    (void)failed;
#endif
}

int main(void)
{
    uint32_t correct = 0;
    uint32_t i;

    uart_init();
    for (i = 0; i < IMAGE_COUNT; i++) {
        const int digit = classify(images[i].pixels);
        uart_text("image ");
        uart_number(i);
        if (digit < 0) {
            uart_text(": the model refused to run\n");
            finish(1);
            continue;
        }
        uart_text(": a ");
        uart_number((uint32_t)digit);
        uart_text(digit == images[i].digit ? "\n" : ", wrong\n");
        correct += digit == images[i].digit ? 1u : 0u;
    }
    uart_number(correct);
    uart_text(" of ");
    uart_number(IMAGE_COUNT);
    uart_text(" correct\n");
    finish(correct != IMAGE_COUNT);
    return 0;
}
