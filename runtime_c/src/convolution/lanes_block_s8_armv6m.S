/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_lanes_block_s8(const tinyc_lanes_block *block);
 *
 * See tinyc_lanes_block_s8.h; lanes_block_s8_portable.c is the C twin.
 */
#include "tinyc_lanes_block_armv6m.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_lanes_block_s8, "ax", %progbits
    .align 2
    .weak tinyc1_lanes_block_s8
    .type tinyc1_lanes_block_s8, %function
    .thumb_func

tinyc1_lanes_block_s8:
    enter_block
    mov     lr, r3                      /* the next byte of the runs */
    movs    r3, #128
    lsls    r3, r3, #8
    mov     r12, r3                     /* half of a lane's range, with which each run begins */

next_channel:
    begin_channel
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
    add_run
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
    finish_channel
    .size tinyc1_lanes_block_s8, . - tinyc1_lanes_block_s8
