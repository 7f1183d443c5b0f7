/* SPDX-License-Identifier: Apache-2.0 */
    .syntax unified
    .thumb
    .text
    .globl toy_run
    .type toy_run, %function
toy_run:
    movs r3, #200
1:  subs r3, #1
    bne 1b
toy_layer_1_mark:
    ldr r3, [r1]
    str r3, [r2]
    str r3, [r2, #4]
toy_layer_2_mark:
    movs r0, #0
    bx lr
    .size toy_run, . - toy_run
