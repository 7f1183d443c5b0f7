/* SPDX-License-Identifier: Apache-2.0 */
/* Reports a processor fault and ends the program; tinyc/toolchain/run.py knows the text and the exit code. */
#include "harness.h"

void harness_fault(uint32_t pc, uint32_t cause);

enum { EXIT_FAULT = 3 };

static void append_hex(char *text, uint32_t value)
{
    int i;
    for (i = 0; i < 8; i++) {
        text[i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15u];
    }
}

void harness_fault(uint32_t pc, uint32_t cause)
{
    static char text[] = "harness: fault at pc 0x........ cause 0x........\n";
    append_hex(text + 23, pc);
    append_hex(text + 40, cause);
    harness_print(text);
    harness_exit(EXIT_FAULT);
}
