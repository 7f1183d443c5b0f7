/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_eight_outputs_s8(const tinyc_eight_outputs *outputs);
 *
 * See tinyc_eight_outputs_s8.h; eight_outputs_s8_portable.c is the C twin. Thumb-1: unsigned bytes can be loaded with an
 * offset in the instruction, signed ones cannot; half of the sums are in high registers.
 */
#include "tinyc_registers_armv6m.h"
#include "tinyc_requantize_armv6m.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_eight_outputs_s8, "ax", %progbits
    .align 2
    .weak tinyc1_eight_outputs_s8
    .type tinyc1_eight_outputs_s8, %function
    .thumb_func

    /* The stack: eight sums, then the argument, later what sums are limited to. */
    .equ OUTPUTS, 32
    .equ LIMIT, 32

    .macro multiply at, sum
    ldrb    r3, [r1, #\at]
    muls    r3, r2, r3
    add     \sum, r3
    .endm

    .macro tap k
    ldrb    r2, [r0, #(\k)]
    sxtb    r2, r2
    multiply 8 * ((\k) % 4), r4
    multiply 8 * ((\k) % 4) + 1, r5
    multiply 8 * ((\k) % 4) + 2, r6
    multiply 8 * ((\k) % 4) + 3, r7
    multiply 8 * ((\k) % 4) + 4, r8
    multiply 8 * ((\k) % 4) + 5, r9
    multiply 8 * ((\k) % 4) + 6, r10
    multiply 8 * ((\k) % 4) + 7, r11
    .endm

tinyc1_eight_outputs_s8:
    push_registers
    sub     sp, #36
    str     r0, [sp, #OUTPUTS]
    ldr     r2, [r0, #4]
    mov     r12, r2
    ldr     r4, [r0, #24]               /* every sum begins with the correction */
    movs    r5, r4
    movs    r6, r4
    movs    r7, r4
    mov     r8, r4
    mov     r9, r4
    mov     r10, r4
    mov     r11, r4
    ldr     r1, [r0, #8]
    ldr     r0, [r0]
1:
    .irp    k, 0, 4, 8, 12
    tap     \k
    tap     \k + 1
    tap     \k + 2
    tap     \k + 3
    adds    r1, #32
    .endr
    adds    r0, #16
    cmp     r0, r12
    beq     4f
    b       1b
4:  mov     r0, sp
    stmia   r0!, {r4-r7}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    stmia   r0!, {r4-r7}
    ldr     r0, [sp, #OUTPUTS]
    ldr     r1, [r0, #40]
    mov     r10, r1
    ldr     r1, [r0, #44]
    mov     r11, r1
    adds    r0, #12
    ldmia   r0!, {r1-r7}                /* bias, output, results, correction, multiplier, exponent, offset */
    mov     r12, r1
    mov     lr, r2
    movs    r0, r5
    adds    r6, #9
    movs    r4, r7
    mov     r7, sp
    lsls    r3, r3, #2
    adds    r3, r3, r7
    mov     r8, r3                      /* the end of the sums that are wanted */
    rounding_constant
    mov     r9, r4
    movs    r5, #1
    lsls    r5, r5, #20
    str     r5, [sp, #LIMIT]
    split_multiplier r0
2:  mov     r4, r12
    ldmia   r4!, {r0}
    mov     r12, r4
    ldmia   r7!, {r4}
    adds    r0, r0, r4
    ldr     r5, [sp, #LIMIT]
    limit_sum r5
    requantize r9, r10, r11
    mov     r4, lr
    strb    r0, [r4]
    adds    r4, r4, #1
    mov     lr, r4
    cmp     r7, r8
    bne     2b
    add     sp, #36
    pop_registers
    .size tinyc1_eight_outputs_s8, . - tinyc1_eight_outputs_s8
