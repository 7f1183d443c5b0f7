/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_winograd_tiles_dsp(const tinyc_paired_filters *filters, const int16_t *values, int8_t *out0, int8_t *out1,
 *     int32_t pixel, int32_t row);
 *
 * See tinyc_winograd_s8.h and tinyc_winograd_dsp.h; in assembly because its 14 live values need every register.
 * winograd_tiles_dsp.c is its C twin. Sums go on from position to position down a column: m0, m0 + m1, m0 + m1 + m2; then
 * from 2 * m0 - (m0 + m1) to m0 - m1 + m3.
 */
#include "tinyc_paired_requantize_dsp.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_winograd_tiles_dsp, "ax", %progbits
    .align 2
    .weak tinyc1_winograd_tiles_dsp
    .type tinyc1_winograd_tiles_dsp, %function
    .thumb_func

    weights .req r0
    x       .req r1
    /* r2 to r9: sums of filter 0 and tile 0, filter 0 and tile 1, filter 1 and tile 0, ... */
    w0      .req r10
    w1      .req r11
    x0      .req r12
    x1      .req lr

    /* While results are written. */
    out0        .req r1
    multiplier  .req r2
    addend      .req r3
    shift       .req r8
    sums        .req r10
    out1        .req r11
    pixel       .req r12
    end         .req lr

    /* On the stack. */
    .set SUMS, 0            /* [column][row of results][filter][tile] */
    .set COLUMN, 64
    .set FIRST, 256         /* m0, [filter][tile] */
    .set BOTH, 288          /* m0 + m1 */
    .set ENTRY, 320         /* into the unrolled loop */
    .set RETURN, 324
    .set VALUES, 328
    .set VALUES_END, 332
    .set OUT, 336
    .set BACK, 344          /* from the end of one position to the beginning of the next */
    .set NEXT, 348          /* where sums are put */
    .set FINISH, 352        /* how sums become results */
    .set TILES_END, 356
    .set REPEATED, 360      /* filters that the next tile has as well */
    .set LOCALS, 364
    .set PIXEL, LOCALS + 36
    .set ROW, LOCALS + 40

    .set UNROLLED, 8
    .set STEP_BYTES, 44     /* of code: all instructions of a step are long */
    .set CONSTANTS, 48      /* bytes of a tile's requantization */

    .macro two_filters s0, s1, s2, s3
    smlad   \s0, w0, x0, \s0
    smlad   \s1, w0, x1, \s1
    smlad   \s2, w1, x0, \s2
    smlad   \s3, w1, x1, \s3
    .endm

    .macro step
    ldrd    w0, w1, [weights], #8
    ldrd    x0, x1, [x], #128
    two_filters r2, r3, r4, r5
    ldrd    w0, w1, [weights], #8
    two_filters r6, r7, r8, r9
    .endm

    .macro store_at offset
    add     w0, sp, #\offset
    stmia   w0, {r2-r9}
    .endm

    .macro store_next
    ldr     w0, [sp, #NEXT]
    stmia   w0!, {r2-r9}
    str     w0, [sp, #NEXT]
    .endm

    .macro twice_less s0, s1
    ldrd    x0, x1, [w0], #8
    rsb     \s0, x0, \s0, lsl #1
    rsb     \s1, x1, \s1, lsl #1
    .endm

    .macro requantize_quadrupled_away sum
    asr     \sum, \sum, #2
    requantize_away \sum
    .endm

    .macro finish_tile requantize
    ldrd    out0, out1, [sp, #OUT]
    ldr     pixel, [sp, #PIXEL]
    mov     sums, sp
    add     end, weights, #CONSTANTS
1:  ldrd    r2, r3, [sums, #COLUMN]
    ldrd    r4, r5, [sums, #2 * COLUMN]
    ldrd    r6, r7, [sums, #3 * COLUMN]
    ldrd    r8, r9, [sums], #8
    add     r4, r4, r8
    add     r5, r5, r9
    add     r6, r6, r8
    add     r7, r7, r9
    add     r4, r4, r2
    add     r5, r5, r3
    sub     r6, r6, r2
    sub     r7, r7, r3
    ldmia   weights!, {multiplier, addend, shift}
    .irp sum, r4, r5, r6, r7
    \requantize \sum
    .endr
    strb    r6, [out0, pixel]
    strb    r4, [out0], #1
    strb    r7, [out1, pixel]
    strb    r5, [out1], #1
    cmp     weights, end
    bne     1b
    /* The next row, or the next tile. */
    ldr     r2, [sp, #ROW]
    sub     r2, r2, #4
    add     out0, out0, r2
    add     out1, out1, r2
    add     r2, sp, #COLUMN
    cmp     sums, r2
    itt     ne
    subne   weights, weights, #CONSTANTS
    bne     1b
    ldrd    out0, out1, [sp, #OUT]
    ldrd    r2, r3, [sp, #TILES_END]    /* and REPEATED */
    rsb     r3, r3, #4
    add     out0, out0, r3
    add     out1, out1, r3
    strd    out0, out1, [sp, #OUT]
    movs    r3, #0
    str     r3, [sp, #REPEATED]
    cmp     weights, r2
    bne     tile
    add     sp, sp, #LOCALS
    pop     {r4-r11, pc}
    .endm

tinyc1_winograd_tiles_dsp:
    push    {r4-r11, lr}
    sub     sp, sp, #LOCALS
    strd    r2, r3, [sp, #OUT]
    ldmia   r0, {r0, r4, r5, r6, r9}    /* tiles, steps, count, away, repeated */
    lsl     r7, r4, #7
    add     r8, r1, r7
    strd    r1, r8, [sp, #VALUES]
    sub     r7, r7, #8
    str     r7, [sp, #BACK]
    lsl     r7, r4, #8
    add     r7, r7, #16 + CONSTANTS
    mla     r7, r7, r5, r0
    strd    r7, r9, [sp, #TILES_END]    /* and REPEATED */
    rsb     r4, r4, #0
    and     r4, r4, #UNROLLED - 1
    mov     r5, #STEP_BYTES
    adr     r8, steps
    mla     r4, r4, r5, r8
    orr     r4, r4, #1                  /* Thumb addresses */
    str     r4, [sp, #ENTRY]
    adr     r5, up
    cbz     r6, 1f
    adr     r5, away
1:  orr     r5, r5, #1
    str     r5, [sp, #FINISH]

tile:
    ldmia   weights!, {r2, r4, r6, r8}
    mov     r3, r2
    mov     r5, r4
    mov     r7, r6
    mov     r9, r8
    str     sp, [sp, #NEXT]
    ldr     x, [sp, #VALUES]
column:
    bl      products
    store_at FIRST
    bl      products
    store_at BOTH
    bl      products
    store_next
    add     w0, sp, #FIRST
    ldmia   w0!, {r2-r9}
    twice_less r2, r3
    twice_less r4, r5
    twice_less r6, r7
    twice_less r8, r9
    bl      products
    store_next
    add     w1, sp, #4 * COLUMN
    cmp     w0, w1
    bne     1f
    ldr     pc, [sp, #FINISH]
1:  .irp sum, r2, r3, r4, r5, r6, r7, r8, r9
    mov     \sum, #0
    .endr
    b       column

    /* Adds the products of a position. */
products:
    str     lr, [sp, #RETURN]
    ldr     pc, [sp, #ENTRY]
    .align 2
steps:
    .rept UNROLLED
    step
    .endr
    ldr     w0, [sp, #VALUES_END]
    cmp     x, w0
    blo     steps
    ldr     w0, [sp, #BACK]
    sub     x, x, w0
    ldr     pc, [sp, #RETURN]

    .align 2
up: finish_tile requantize_up

    .align 2
away:
    finish_tile requantize_quadrupled_away
    .size tinyc1_winograd_tiles_dsp, . - tinyc1_winograd_tiles_dsp
