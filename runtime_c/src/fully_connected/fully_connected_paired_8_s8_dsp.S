/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_fully_connected_paired_8_s8(const tinyc_paired_filters *filters, const int8_t *in, int8_t *out);
 *
 * See tinyc_paired_s8.h; in assembly because of its 14 live values. fully_connected_paired_8_s8_dsp.c is its C twin.
 * Eight filters leave four registers for weights and activations, so loads come by two and three: on a Cortex-M4 a load is
 * two cycles, one behind another load, and a pair three. Code stays below the 1 KiB that parts cache of their flash.
 */
#include "tinyc_paired_requantize_dsp.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_fully_connected_paired_8_s8, "ax", %progbits
    .align 2
    .weak tinyc1_fully_connected_paired_8_s8
    .type tinyc1_fully_connected_paired_8_s8, %function
    .thumb_func

    weights .req r0
    x       .req r1
    low0    .req r2
    high0   .req r3
    low1    .req r4
    high1   .req r5
    low2    .req r6
    high2   .req r7
    low3    .req r8
    high3   .req r9
    even    .req r10
    odd     .req r11
    w0      .req r12
    w1      .req lr

    /* While results are written. */
    out         .req r1
    multiplier  .req r10
    addend      .req r11
    shift       .req r12

    /* On the stack. */
    .set OUT, 0
    .set CONSTANTS, 4       /* multiplier, addend and shift */
    .set IN, 16
    .set ENTRY, 20          /* into the unrolled loop */
    .set IN_END, 24
    .set FINISH, 28         /* how sums become results */
    .set TILES_END, 32
    .set LOCALS, 36

    .set UNROLLED, 4
    .set FOUR_BYTES, 128    /* of code: all instructions are long */

    .macro multiply low_first, high_first, low_second, high_second, activations
    smlad   \high_first, w0, \activations, \high_first
    smlad   \high_second, w1, \activations, \high_second
    sxtb16  w0, w0
    sxtb16  w1, w1
    smlad   \low_first, w0, \activations, \low_first
    smlad   \low_second, w1, \activations, \low_second
    .endm

    .macro multiply_four
    ldr     odd, [x], #4
    ldr     w1, [weights, #4]           /* before the address changes */
    ldr     w0, [weights], #8
    sxtb16  even, odd
    multiply low0, high0, low1, high1, even
    ldrd    w0, w1, [weights], #8
    multiply low2, high2, low3, high3, even
    ldrd    w0, w1, [weights], #8
    sxtb16  odd, odd, ror #8
    multiply low0, high0, low1, high1, odd
    ldrd    w0, w1, [weights], #8
    multiply low2, high2, low3, high3, odd
    .endm

    .macro finish_tile requantize
    ldr     out, [sp, #OUT]
    ldr     multiplier, [sp, #CONSTANTS]
    ldr     addend, [sp, #CONSTANTS + 4]
    ldr     shift, [sp, #CONSTANTS + 8]
    .irp sum, low0, high0, low1, high1, low2, high2, low3, high3
    \requantize \sum
    strb    \sum, [out], #1
    .endr
    str     out, [sp, #OUT]
    ldr     w0, [sp, #TILES_END]
    cmp     weights, w0
    bne     tile
    .endm

tinyc1_fully_connected_paired_8_s8:
    push    {r4-r11, lr}
    sub     sp, sp, #LOCALS
    ldmia   r0, {r0, r3, r4, r5}        /* tiles, steps, count, away */
    add     r6, r1, r3, lsl #1          /* the activations' end */
    lsls    r7, r3, #4
    adds    r7, r7, #32
    mla     r8, r7, r4, r0              /* the tiles' end */
    ldmia   r8, {r9, r10, r11}
    stmia   sp, {r2, r9-r11}            /* OUT and CONSTANTS */
    lsrs    r3, r3, #1                  /* groups of four weights */
    rsb     r3, r3, #0
    and     r3, r3, #UNROLLED - 1
    adr     r4, fours
    add     r4, r4, r3, lsl #7          /* FOUR_BYTES */
    adr     r7, up
    cbz     r5, 1f
    adr     r7, away
1:  orr     r4, r4, #1                  /* Thumb addresses */
    orr     r7, r7, #1
    add     r9, sp, #IN
    stmia   r9, {r1, r4, r6, r7, r8}    /* IN to TILES_END */

tile:
    ldmia   weights!, {low0, high0, low1, high1, low2, high2, low3, high3}
    ldr     x, [sp, #IN]
    ldr     pc, [sp, #ENTRY]
    .align 2
fours:
    .rept UNROLLED
    multiply_four
    .endr
    ldr     w0, [sp, #IN_END]
    cmp     x, w0
    bne     fours
    ldr     pc, [sp, #FINISH]

    .align 2
up: .irp k, 0, 1, 2, 3
    sub     high\k, high\k, low\k
    lsl     low\k, low\k, #8
    .endr
    finish_tile requantize_up

end_of_tiles:
    add     sp, sp, #LOCALS
    pop     {r4-r11, pc}

    .align 2
away:
    .irp k, 0, 1, 2, 3
    sub     high\k, high\k, low\k
    asr     high\k, high\k, #8
    .endr
    finish_tile requantize_away
    b       end_of_tiles
    .size tinyc1_fully_connected_paired_8_s8, . - tinyc1_fully_connected_paired_8_s8
