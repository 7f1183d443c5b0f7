/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_fully_connected_paired_s8(const tinyc_paired_filters *filters, const int8_t *in, int8_t *out);
 *
 * See tinyc_paired_s8.h; in assembly because of its 14 live values. fully_connected_paired_s8_dsp.c is its C twin, paired_tiles_dsp.S
 * the same for two pixels.
 */
#include "tinyc_paired_requantize_dsp.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_fully_connected_paired_s8, "ax", %progbits
    .align 2
    .weak tinyc1_fully_connected_paired_s8
    .type tinyc1_fully_connected_paired_s8, %function
    .thumb_func

    weights .req r0
    x       .req r1
    low0    .req r2
    high0   .req r3
    low1    .req r4
    high1   .req r5
    w0      .req r6
    w1      .req r7
    w2      .req r8
    w3      .req r9
    even    .req r10
    odd     .req r11
    out     .req r12
    x_end   .req lr

    /* While results are written. */
    multiplier  .req r6
    addend      .req r7
    shift       .req r8
    constants   .req r9
    constant_step .req r10

    /* On the stack. */
    .set IN, 0
    .set ENTRY, 4           /* into the unrolled loop */
    .set FINISH, 8          /* how sums become results */
    .set LAST_END, 12       /* of all tiles */
    .set REPEATED, 16       /* filters that the tile behind TILES_END has from the one before it */
    .set TILES_END, 20      /* of the first tile, while filters are to be repeated */
    .set CONSTANTS, 24      /* of the next filter, and the distance to those of the one after it */
    .set LOCALS, 36

    .set UNROLLED, 4
    .set FOUR_BYTES, 64     /* of code: all instructions are long */

    .macro multiply w_first, w_second, activations
    smlad   high0, \w_first, \activations, high0
    smlad   high1, \w_second, \activations, high1
    sxtb16  \w_first, \w_first
    sxtb16  \w_second, \w_second
    smlad   low0, \w_first, \activations, low0
    smlad   low1, \w_second, \activations, low1
    .endm

    .macro multiply_four
    ldr     odd, [x], #4
    ldmia   weights!, {w0, w1, w2, w3}
    sxtb16  even, odd
    sxtb16  odd, odd, ror #8
    multiply w0, w1, even
    multiply w2, w3, odd
    .endm

    .macro filter requantize, sum
    ldmia   constants, {multiplier, addend, shift}
    add     constants, constants, constant_step
    \requantize \sum
    strb    \sum, [out], #1
    .endm

    .macro finish_tile requantize
    ldrd    constants, constant_step, [sp, #CONSTANTS]
    filter  \requantize, low0
    filter  \requantize, high0
    filter  \requantize, low1
    filter  \requantize, high1
    str     constants, [sp, #CONSTANTS]
    ldr     w0, [sp, #TILES_END]
    cmp     weights, w0
    bne     tile
    .endm

tinyc1_fully_connected_paired_s8:
    push    {r4-r11, lr}
    sub     sp, sp, #LOCALS
    mov     out, r2
    ldmia   r0, {r0, r4, r5, r6, r9, r10} /* tiles, steps, count, away, repeated, constant_step */
    add     x_end, x, r4, lsl #1
    lsls    r3, r4, #3
    adds    r3, r3, #16
    mla     r7, r3, r5, r0
    strd    r7, r10, [sp, #CONSTANTS]
    add     r3, r3, r0
    cmp     r9, #0
    it      eq
    moveq   r3, r7
    strd    r9, r3, [sp, #REPEATED]
    lsrs    r4, r4, #1                  /* groups of four weights */
    rsb     r4, r4, #0
    and     r4, r4, #UNROLLED - 1
    mov     r5, #FOUR_BYTES
    adr     r8, fours
    mla     r4, r4, r5, r8
    adr     r5, up
    cbz     r6, 1f
    adr     r5, away
1:  orr     r4, r4, #1                  /* Thumb addresses */
    orr     r5, r5, #1
    strd    x, r4, [sp, #IN]
    strd    r5, r7, [sp, #FINISH]

tile:
    ldmia   weights!, {low0, high0, low1, high1}
    ldr     x, [sp, #IN]
    ldr     pc, [sp, #ENTRY]
    .align 2
fours:
    .rept UNROLLED
    multiply_four
    .endr
    cmp     x, x_end
    bne     fours
    ldr     pc, [sp, #FINISH]

    .align 2
up: sub     high0, high0, low0
    sub     high1, high1, low1
    lsl     low0, low0, #8
    lsl     low1, low1, #8
    finish_tile requantize_up

end_of_tiles:
    ldrd    r2, r3, [sp, #LAST_END]     /* and REPEATED */
    cbz     r3, 1f
    sub     out, out, r3
    movs    r3, #0
    strd    r3, r2, [sp, #REPEATED]     /* and TILES_END */
    b       tile
1:  add     sp, sp, #LOCALS
    pop     {r4-r11, pc}

    .align 2
away:
    sub     high0, high0, low0
    sub     high1, high1, low1
    asr     high0, high0, #8
    asr     high1, high1, #8
    finish_tile requantize_away
    b       end_of_tiles
    .size tinyc1_fully_connected_paired_s8, . - tinyc1_fully_connected_paired_s8
