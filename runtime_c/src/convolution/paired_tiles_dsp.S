/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_paired_tiles_dsp(const tinyc_paired_filters *filters, const int16_t *pair, int8_t *out0, int8_t *out1);
 *
 * See tinyc_paired_s8.h and tinyc_paired_dsp.h; in assembly because its 14 live values need every register.
 * paired_tiles_dsp.c is its C twin. Sums `low` are those of filters 0 and 2, `high` 256 * those of filters 1 and 3
 * plus low.
 */
#include "tinyc_paired_requantize_dsp.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_paired_tiles_dsp, "ax", %progbits
    .align 2
    .weak tinyc1_paired_tiles_dsp
    .type tinyc1_paired_tiles_dsp, %function
    .thumb_func

    weights .req r0
    x       .req r1
    low0    .req r2         /* of pixel 0 */
    high0   .req r3
    low1    .req r4
    high1   .req r5
    low2    .req r6         /* of pixel 1 */
    high2   .req r7
    low3    .req r8
    high3   .req r9
    w0      .req r10
    w1      .req r11
    x0      .req r12
    x1      .req lr

    /* While results are written. */
    out0        .req r1
    multiplier  .req r10
    addend      .req r11
    shift       .req r12
    apart       .req lr     /* from out0 to out1 */

    /* On the stack. */
    .set OUT, 0             /* and APART behind it */
    .set PAIR, 8
    .set PAIR_END, 12
    .set ENTRY, 16          /* into the unrolled loop */
    .set FINISH, 20         /* how sums become results */
    .set AWAY, 24
    .set LAST_END, 28       /* of all tiles */
    .set REPEATED, 32       /* filters that the tile behind TILES_END has from the one before it */
    .set TILES_END, 36      /* of the first tile, while filters are to be repeated */
    .set LOCALS, 44

    .set UNROLLED, 8
    .set STEP_BYTES, 48     /* of code: all instructions of a step are long */

    .macro step
    ldrd    w0, w1, [weights], #8
    ldrd    x0, x1, [x], #8
    smlad   high0, w0, x0, high0
    smlad   high2, w0, x1, high2
    sxtb16  w0, w0
    smlad   high1, w1, x0, high1
    smlad   high3, w1, x1, high3
    sxtb16  w1, w1
    smlad   low0, w0, x0, low0
    smlad   low2, w0, x1, low2
    smlad   low1, w1, x0, low1
    smlad   low3, w1, x1, low3
    .endm

    .macro results requantize, pixel0, pixel1
    \requantize \pixel1
    strb    \pixel1, [out0, apart]
    \requantize \pixel0
    strb    \pixel0, [out0], #1
    .endm

    .macro filter_up pixel0, pixel1
    ldmia   weights!, {multiplier, addend, shift}
    results requantize_up, \pixel0, \pixel1
    .endm

    /* less: bytes from the next filter's multiplier to this one's shift. */
    .macro filter_away pixel0, pixel1, less
    ldr     multiplier, [weights], #4
    ldrb    shift, [weights, #\less]
    results requantize_away, \pixel0, \pixel1
    .endm

    .macro next_tile
    str     out0, [sp, #OUT]
    ldr     multiplier, [sp, #TILES_END]
    cmp     weights, multiplier
    bne     tile
    .endm

tinyc1_paired_tiles_dsp:
    push    {r4-r11, lr}
    sub     sp, sp, #LOCALS
    sub     r3, r3, r2
    strd    r2, r3, [sp, #OUT]          /* and APART */
    ldmia   r0, {r0, r4, r5, r6, r9}    /* tiles, steps, count, away, repeated */
    add     r7, r1, r4, lsl #3
    strd    r1, r7, [sp, #PAIR]
    lsls    r3, r4, #3
    adds    r3, r3, #16 + 20            /* bytes of a tile */
    adr     r2, away
    cbnz    r6, 1f
    adds    r3, r3, #48 - 20
    adr     r2, up
1:  mla     r7, r3, r5, r0
    add     r3, r3, r0
    rsb     r4, r4, #0
    and     r4, r4, #UNROLLED - 1
    mov     r5, #STEP_BYTES
    adr     r8, steps + 1               /* Thumb addresses */
    mla     r4, r4, r5, r8
    orr     r5, r2, #1
    add     r8, sp, #ENTRY
    stmia   r8!, {r4-r7}                /* up to LAST_END */
    cmp     r9, #0
    it      eq
    moveq   r3, r7
    strd    r9, r3, [sp, #REPEATED]

tile:
    ldmia   weights, {low0, high0, low1, high1}
    ldmia   weights!, {low2, high2, low3, high3}
    ldr     x, [sp, #PAIR]
    ldr     pc, [sp, #ENTRY]
    .align 2
steps:
    .rept UNROLLED
    step
    .endr
    ldr     w0, [sp, #PAIR_END]
    cmp     x, w0
    bne     steps
    ldr     pc, [sp, #FINISH]

    .align 2
up: sub     high0, high0, low0
    sub     high1, high1, low1
    sub     high2, high2, low2
    sub     high3, high3, low3
    lsl     low0, low0, #8
    lsl     low1, low1, #8
    lsl     low2, low2, #8
    lsl     low3, low3, #8
    ldrd    out0, apart, [sp, #OUT]
    filter_up low0, low2
    filter_up high0, high2
    filter_up low1, low3
    filter_up high1, high3
    next_tile

end_of_tiles:
    ldrd    r2, r3, [sp, #LAST_END]     /* and REPEATED */
    cbz     r3, 1f
    sub     out0, out0, r3
    str     out0, [sp, #OUT]
    movs    r3, #0
    strd    r3, r2, [sp, #REPEATED]     /* and TILES_END */
    b       tile
1:  add     sp, sp, #LOCALS
    pop     {r4-r11, pc}

    .align 2
away:
    .irp k, 0, 1, 2, 3
    sub     high\k, high\k, low\k
    asr     high\k, high\k, #8
    .endr
    ldrd    out0, apart, [sp, #OUT]
    ldr     addend, [sp, #AWAY]
    filter_away low0, low2, 12
    filter_away high0, high2, 9
    filter_away low1, low3, 6
    filter_away high1, high3, 3
    adds    weights, weights, #4
    next_tile
    b       end_of_tiles
    .size tinyc1_paired_tiles_dsp, . - tinyc1_paired_tiles_dsp
