/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lanes_block_s8_armv6m.S and even_lanes_block_s8_armv6m.S share: macros for a whole function. Thumb-1: the words of
 * a tap, the weight, the pointers and both sums of a run fill the low registers; what is added up over the runs is in
 * high ones, which only mov, add and cmp can use.
 */
#include "tinyc_registers_armv6m.h"
#include "tinyc_requantize_armv6m.h"

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
    .equ TAPS, 48                       /* in the block, behind what is copied */

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

    /* The block is copied to the stack. r12 is left as it is. */
    .macro enter_block
    push_registers
    adds    r0, #24
    ldmia   r0!, {r1-r6}
    push    {r1-r6}
    subs    r0, #48
    ldmia   r0!, {r1-r6}
    push    {r1-r6}
    sub     sp, #16
    .endm

    /* r8: the sum of the first words, r9: of their high lanes; r10, r11: the same of the second words. */
    .macro begin_channel
    ldr     r0, [sp, #COLUMNS]
    ldr     r1, [sp, #WEIGHTS]
    movs    r2, #0
    mov     r8, r2
    mov     r9, r2
    mov     r10, r2
    mov     r11, r2
    .endm

    .macro add_run
    asrs    r3, r6, #16
    add     r9, r3
    add     r8, r6
    asrs    r3, r7, #16
    add     r11, r3
    add     r10, r7
    .endm

    /* r3: the bias, r4: the bias less half a lane for each run, r6: the exponent + 9, r7: the multiplier. */
    .macro finish_channel
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
    pop_registers
    .endm
