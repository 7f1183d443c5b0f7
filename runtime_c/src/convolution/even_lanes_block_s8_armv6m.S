/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_even_lanes_block_s8(const tinyc_lanes_block *block);
 *
 * See tinyc_lanes_block_s8.h; even_lanes_block_s8_portable.c is the C twin.
 */
#include "tinyc_lanes_block_armv6m.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_even_lanes_block_s8, "ax", %progbits
    .align 2
    .weak tinyc1_even_lanes_block_s8
    .type tinyc1_even_lanes_block_s8, %function
    .thumb_func

tinyc1_even_lanes_block_s8:
    ldr     r3, [r0, #TAPS]
    mov     r12, r3
    enter_block

next_channel:
    begin_channel
    ldr     r3, [sp, #CHANNELS]
    ldr     r4, [r3, #4]                /* the runs */
    uxtb    r3, r4
    lsrs    r4, r4, #8
    uxtb    r4, r4
    mov     lr, r4
    b       first_run
next_run:
    mov     r3, lr
first_run:
    movs    r6, #128
    lsls    r6, r6, #8                  /* half of a lane's range */
    mov     r7, r6
    add     pc, r3                      /* over the taps that the run does not have */
    nop
    .rept 16
    tap
    .endr
    add_run
    cmp     r2, r12
    bne     next_run

    adds    r1, r1, r2
    str     r1, [sp, #WEIGHTS]
    ldr     r5, [sp, #CHANNELS]
    ldmia   r5!, {r3, r6, r7}           /* the bias, the runs and the multiplier */
    str     r5, [sp, #CHANNELS]
    lsrs    r6, r6, #16
    lsrs    r4, r6, #4
    lsls    r4, r4, #15
    subs    r4, r3, r4
    lsls    r6, r6, #28
    lsrs    r6, r6, #28
    adds    r6, #9
    finish_channel
    .size tinyc1_even_lanes_block_s8, . - tinyc1_even_lanes_block_s8
