/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up for emulated Cortex-M cores. QEMU loads .data and clears .bss: it puts the ELF's segments into memory. */
#include "harness.h"

extern uint32_t __stack_top[];

void harness_fault(uint32_t pc, uint32_t cause);
void Reset_Handler(void);
void harness_arm_fault(const uint32_t *frame);
void Fault_Handler(void);

__attribute__((noinline)) static void run(void)
{
    harness_exit(harness_main());
}

__attribute__((used, noreturn)) void Reset_Handler(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    *(volatile uint32_t *)0xE000ED88u |= 0xF00000u; /* CPACR: full access to the FPU and Helium */
    __asm__ volatile("dsb\n\tisb" : : : "memory");
#endif
    run();
    for (;;) {
    }
}

/* The stacked frame is r0-r3, r12, lr, pc, xpsr. */
__attribute__((used)) void harness_arm_fault(const uint32_t *frame)
{
#if __ARM_ARCH_ISA_THUMB >= 2 && !defined(__ARM_ARCH_8M_BASE__)
    harness_fault(frame[6], *(const volatile uint32_t *)0xE000ED28u); /* CFSR */
#else
    harness_fault(frame[6], 0);
#endif
}

/* The fault may be a stack that ran over: the report gets a fresh one. */
__attribute__((naked, used)) void Fault_Handler(void)
{
    __asm__ volatile("mov r0, sp\n\t"
                     "ldr r1, =__stack_top\n\t"
                     "mov sp, r1\n\t"
                     "ldr r1, =harness_arm_fault\n\t"
                     "bx r1\n\t"
                     ".ltorg");
}

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const union {
    const void *stack;
    handler handler;
} vectors[16] = {
    {.stack = __stack_top},
    {.handler = Reset_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
    {.handler = Fault_Handler},
};
