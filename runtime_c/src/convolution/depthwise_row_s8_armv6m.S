/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_depthwise_row_s8(const tinyc_depthwise_row *row);
 *
 * See tinyc_depthwise_row_s8.h; depthwise_row_s8_portable.c is the C twin. Thumb-1: for each channel, first the sums of
 * all pixels, with the three lines, the offsets of the columns and two factors in the low registers, then their
 * requantization, which needs all of these for itself.
 */
#include "tinyc_registers_armv6m.h"
#include "tinyc_requantize_armv6m.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_depthwise_row_s8, "ax", %progbits
    .align 2
    .weak tinyc1_depthwise_row_s8
    .type tinyc1_depthwise_row_s8, %function
    .thumb_func

    /* The stack: nine weights, the biases of inner, left and right pixels, a counter, then a copy of the row. */
    .equ BIAS, 36
    .equ LEFT_BIAS, 40
    .equ RIGHT_BIAS, 44
    .equ REMAINING, 48
    .equ LOCALS, 52
    .equ ROWS, LOCALS
    .equ PRESENT, LOCALS + 12
    .equ WEIGHTS, LOCALS + 24
    .equ EXPONENTS, LOCALS + 28
    .equ CHANNELS, LOCALS + 32
    .equ OUTPUT, LOCALS + 36
    .equ SUMS, LOCALS + 40
    .equ COUNT, LOCALS + 44
    .equ LEFT, LOCALS + 48
    .equ INNER, LOCALS + 52
    .equ RIGHT, LOCALS + 56
    .equ FIRST, LOCALS + 60
    .equ STEP, LOCALS + 64
    .equ PADDING, LOCALS + 68
    .equ OFFSET, LOCALS + 72
    .equ LOWEST, LOCALS + 76
    .equ HIGHEST, LOCALS + 80
    .equ FRAME, LOCALS + 84

    /* A line's weights, zeros where it is padding. r1, r2: sums of the outer columns, r3: of what is missing. */
    .macro line_weights line
    movs    r4, #3 * \line
    ldrsb   r4, [r0, r4]
    movs    r5, #3 * \line + 1
    ldrsb   r5, [r0, r5]
    movs    r6, #3 * \line + 2
    ldrsb   r6, [r0, r6]
    ldr     r7, [sp, #PRESENT + 4 * \line]
    cmp     r7, #0
    bne     1f
    adds    r3, r3, r4
    adds    r3, r3, r5
    adds    r3, r3, r6
    movs    r4, #0
    movs    r5, #0
    movs    r6, #0
1:  str     r4, [sp, #12 * \line]
    str     r5, [sp, #12 * \line + 4]
    str     r6, [sp, #12 * \line + 8]
    adds    r1, r1, r4
    adds    r2, r2, r6
    .endm

    .macro tap line, offset, weight
    ldrsb   r6, [\line, \offset]
    ldr     r7, [sp, #4 * (\weight)]
    muls    r6, r7, r6
    add     r8, r6
    .endm

    .macro column offset, weight
    tap     r0, \offset, \weight
    tap     r1, \offset, \weight + 3
    tap     r2, \offset, \weight + 6
    .endm

    .macro begin_sum bias
    ldr     r6, [sp, #\bias]
    mov     r8, r6
    .endm

    .macro end_sum
    mov     r6, r8
    mov     r7, r9
    stmia   r7!, {r6}
    mov     r9, r7
    .endm

tinyc1_depthwise_row_s8:
    push_registers
    adds    r0, #56
    ldmia   r0!, {r1-r7}
    push    {r1-r7}
    subs    r0, #56
    ldmia   r0!, {r1-r7}
    push    {r1-r7}
    subs    r0, #56
    ldmia   r0!, {r1-r7}
    push    {r1-r7}
    sub     sp, #LOCALS
    ldr     r0, [sp, #COUNT]
    str     r0, [sp, #REMAINING]

next_channel:
    ldr     r0, [sp, #WEIGHTS]
    movs    r1, #0
    movs    r2, #0
    movs    r3, #0
    line_weights 0
    line_weights 1
    line_weights 2
    adds    r0, #9
    str     r0, [sp, #WEIGHTS]
    ldr     r4, [sp, #PADDING]
    muls    r1, r4, r1
    muls    r2, r4, r2
    muls    r3, r4, r3
    ldr     r5, [sp, #CHANNELS]
    ldr     r6, [r5]
    adds    r3, r3, r6
    str     r3, [sp, #BIAS]
    adds    r1, r1, r3
    str     r1, [sp, #LEFT_BIAS]
    adds    r2, r2, r3
    str     r2, [sp, #RIGHT_BIAS]

    add     r3, sp, #ROWS
    ldmia   r3!, {r0, r1, r2}
    ldr     r3, [sp, #COUNT]            /* the offsets of the second, third and first column */
    lsls    r4, r3, #1
    movs    r5, #0
    ldr     r6, [sp, #SUMS]
    mov     r9, r6
    ldr     r6, [sp, #STEP]
    mov     r10, r6
    ldr     r6, [sp, #LEFT]
    cmp     r6, #0
    beq     2f
    begin_sum LEFT_BIAS
    column  r5, 1
    column  r3, 2
    end_sum
    ldr     r6, [sp, #FIRST]
    adds    r0, r0, r6
    adds    r1, r1, r6
    adds    r2, r2, r6
2:  ldr     r6, [sp, #INNER]
    lsls    r6, r6, #2
    beq     4f
    add     r6, r9
    mov     r11, r6
3:  begin_sum BIAS
    column  r5, 0
    column  r3, 1
    column  r4, 2
    end_sum
    add     r0, r10
    add     r1, r10
    add     r2, r10
    cmp     r9, r11
    bne     3b
4:  ldr     r6, [sp, #RIGHT]
    cmp     r6, #0
    beq     5f
    begin_sum RIGHT_BIAS
    column  r5, 0
    column  r3, 1
    end_sum

5:  mov     lr, r3                      /* between two pixels of the output */
    ldr     r0, [sp, #CHANNELS]
    ldmia   r0!, {r4, r5}
    str     r0, [sp, #CHANNELS]
    split_multiplier r5
    ldr     r0, [sp, #EXPONENTS]
    ldrb    r6, [r0]
    adds    r6, #9
    adds    r0, r0, #1
    str     r0, [sp, #EXPONENTS]
    ldr     r4, [sp, #OFFSET]
    rounding_constant
    mov     r8, r4
    ldr     r4, [sp, #LOWEST]
    mov     r10, r4
    ldr     r4, [sp, #HIGHEST]
    mov     r11, r4
    ldr     r4, [sp, #OUTPUT]
    mov     r12, r4
    adds    r4, r4, #1
    str     r4, [sp, #OUTPUT]
    ldr     r7, [sp, #SUMS]
6:  ldmia   r7!, {r0}
    requantize r8, r10, r11
    mov     r4, r12
    strb    r0, [r4]
    add     r12, lr
    cmp     r7, r9
    bne     6b

    add     r4, sp, #ROWS
    ldmia   r4!, {r0, r1, r2}
    subs    r4, #12
    adds    r0, r0, #1
    adds    r1, r1, #1
    adds    r2, r2, #1
    stmia   r4!, {r0, r1, r2}
    ldr     r0, [sp, #REMAINING]
    subs    r0, r0, #1
    str     r0, [sp, #REMAINING]
    beq     7f
    b       next_channel
7:  add     sp, #FRAME
    pop_registers
    .size tinyc1_depthwise_row_s8, . - tinyc1_depthwise_row_s8
