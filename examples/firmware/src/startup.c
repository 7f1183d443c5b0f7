/* SPDX-License-Identifier: Apache-2.0 */
/* Vector table and reset code of the Cortex-M4. */
#include <stdint.h>
#include <string.h>

extern uint8_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
extern uint32_t __stack_top[];

int main(void);
void Reset_Handler(void);
void Default_Handler(void);

void Default_Handler(void)
{
    for (;;) {
    }
}

void Reset_Handler(void)
{
    volatile uint32_t *const cpacr = (volatile uint32_t *)0xE000ED88u;
    *cpacr |= 0xFu << 20; /* full access to the floating-point unit */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    memcpy(__data_start, __data_load, (size_t)(__data_end - __data_start));
    memset(__bss_start, 0, (size_t)(__bss_end - __bss_start));
    (void)main();
    Default_Handler();
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const union {
    const void *stack;
    handler handler;
} vectors[16] = {
    {.stack = __stack_top},       {.handler = Reset_Handler},   {.handler = Default_Handler},
    {.handler = Default_Handler}, {.handler = Default_Handler}, {.handler = Default_Handler},
    {.handler = Default_Handler}, {.stack = 0},                 {.stack = 0},
    {.stack = 0},                 {.stack = 0},                 {.handler = Default_Handler},
    {.handler = Default_Handler}, {.stack = 0},                 {.handler = Default_Handler},
    {.handler = Default_Handler},
};
