/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_lanes_block_s8(const tinyc_lanes_block *block);
 *
 * See tinyc_lanes_block_s8.h; lanes_block_s8_portable.c is the C twin. Thumb-1: the words of a tap, the weight, the
 * pointers and both sums of a run fill the low registers; what is added up over the runs is in high ones, which only
 * mov, add and cmp can use.
 */
#include "tinyc_requantize_armv6m.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_lanes_block_s8, "ax", %progbits
    .align 2
    .weak tinyc1_lanes_block_s8
    .type tinyc1_lanes_block_s8, %function
    .thumb_func

    /* The stack: four sums, then a copy of the block. */
    .equ COLUMNS, 16
    .equ WEIGHTS, 20
    .equ RUNS, 24
    .equ CHANNELS, 28
    .equ OUTPUT, 32
    .equ PLACE, 36
    .equ COUNT, 48
    .equ OFFSET, 52
    .equ LOWEST, 56
    .equ HIGHEST, 60
    .equ FRAME, 64

    .macro tap
    ldrsb   r3, [r1, r2]
    adds    r2, r2, #1
    ldmia   r0!, {r4, r5}
    muls    r4, r3, r4
    muls    r5, r3, r5
    adds    r6, r6, r4
    adds    r7, r7, r5
    .endm

    .macro finish_pixel pixel
    ldr     r0, [sp, #4 * \pixel]
    limit_sum r11
    requantize r8, r9, r10
    .if \pixel > 0
    ldr     r4, [sp, #PLACE + 4 * (\pixel - 1)]
    strb    r0, [r7, r4]
    .else
    strb    r0, [r7]
    .endif
    .endm

tinyc1_lanes_block_s8:
    push    {r4-r7, lr}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {r4-r7}
    adds    r0, #24
    ldmia   r0!, {r1-r6}
    push    {r1-r6}
    subs    r0, #48
    ldmia   r0!, {r1-r6}
    push    {r1-r6}
    sub     sp, #16
    mov     lr, r3                      /* the next byte of the runs */
    movs    r3, #128
    lsls    r3, r3, #8
    mov     r12, r3                     /* half of a lane's range, with which each run begins */

next_channel:
    ldr     r0, [sp, #COLUMNS]
    ldr     r1, [sp, #WEIGHTS]
    movs    r2, #0
    mov     r8, r2                      /* the sum of the first words, r9: of their high lanes */
    mov     r9, r2
    mov     r10, r2                     /* the same of the second words */
    mov     r11, r2
next_run:
    mov     r6, r12
    mov     r7, r12
    mov     r3, lr
    ldrb    r4, [r3]
    adds    r3, r3, #1
    mov     lr, r3
    add     pc, r4                      /* over the taps that the run does not have */
    nop
    .rept 16
    tap
    .endr
    asrs    r3, r6, #16
    add     r9, r3
    add     r8, r6
    asrs    r3, r7, #16
    add     r11, r3
    add     r10, r7
    b       next_run

    /* 238 bytes behind the first tap: TINYC_LANES_END. */
end_of_channel:
    adds    r1, r1, r2
    str     r1, [sp, #WEIGHTS]
    mov     r3, lr
    ldrb    r6, [r3]                    /* the exponent */
    adds    r6, #9
    adds    r3, r3, #1
    mov     lr, r3
    ldr     r4, [sp, #RUNS]
    str     r3, [sp, #RUNS]
    subs    r4, r3, r4
    subs    r4, r4, #2                  /* the number of runs */
    lsls    r4, r4, #15
    ldr     r5, [sp, #CHANNELS]
    ldmia   r5!, {r3, r7}               /* the bias and the multiplier */
    str     r5, [sp, #CHANNELS]
    subs    r4, r3, r4
    mov     r1, r9
    lsls    r2, r1, #16
    mov     r0, r8
    subs    r0, r0, r2
    adds    r0, r0, r4
    adds    r1, r1, r3
    mov     r5, r11
    lsls    r2, r5, #16
    adds    r3, r3, r5
    mov     r5, r10
    subs    r2, r5, r2
    adds    r2, r2, r4
    mov     r5, sp
    stmia   r5!, {r0-r3}

    split_multiplier r7
    ldr     r4, [sp, #OFFSET]
    rounding_constant
    mov     r8, r4
    ldr     r4, [sp, #LOWEST]
    mov     r9, r4
    ldr     r4, [sp, #HIGHEST]
    mov     r10, r4
    movs    r4, #1
    lsls    r4, r4, #20
    mov     r11, r4
    ldr     r7, [sp, #OUTPUT]
    /* Pixels that are not wanted go where pixel 0 goes, which is therefore the last. */
    finish_pixel 3
    finish_pixel 2
    finish_pixel 1
    finish_pixel 0
    adds    r7, r7, #1
    str     r7, [sp, #OUTPUT]
    ldr     r0, [sp, #COUNT]
    subs    r0, r0, #1
    str     r0, [sp, #COUNT]
    beq     1f
    b       next_channel
1:  add     sp, #FRAME
    pop     {r4-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {r4-r7, pc}
    .size tinyc1_lanes_block_s8, . - tinyc1_lanes_block_s8
