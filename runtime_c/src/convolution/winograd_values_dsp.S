/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_winograd_values_dsp(int16_t *values, const int8_t *in, int32_t channels, int32_t pitch);
 *
 * See tinyc_winograd_s8.h and tinyc_winograd_dsp.h; in assembly because two channels share each register and its 14 live
 * values need every one. winograd_values_dsp.c is its C twin.
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_winograd_values_dsp, "ax", %progbits
    .align 2
    .weak tinyc1_winograd_values_dsp
    .type tinyc1_winograd_values_dsp, %function
    .thumb_func

    values  .req r0
    in      .req r1
    pixel   .req r2         /* bytes */
    pitch   .req r3
    odd0    .req r4         /* channels 1 and 3 of four pixels of a column */
    odd1    .req r5
    odd2    .req r6
    odd3    .req r7
    even0   .req r8         /* channels 0 and 2 */
    even1   .req r9
    even2   .req r10
    even3   .req r11
    pitch3  .req r12
    sum     .req lr

    /* On the stack: the columns' transforms, [row][column][even, odd]. */
    .set ROW_BYTES, 32
    .set END, 4 * ROW_BYTES
    .set LOCALS, END + 4

    /* The bytes of a position, and of a step. */
    .set POSITION, 8
    .set STEP, 16 * POSITION

    .macro column at
    ldr     odd0, [in]
    ldr     odd1, [in, pitch]
    ldr     odd2, [in, pitch, lsl #1]
    ldr     odd3, [in, pitch3]
    add     in, in, pixel
    .irp k, 0, 1, 2, 3
    sxtb16  even\k, odd\k
    sxtb16  odd\k, odd\k, ror #8
    .endr
    ssub16  even0, even0, even2
    ssub16  even3, even3, even1
    sadd16  sum, even1, even2
    ssub16  even2, even2, even1
    ssub16  odd0, odd0, odd2
    ssub16  odd3, odd3, odd1
    sadd16  even1, odd1, odd2
    ssub16  odd2, odd2, odd1
    strd    sum, even1, [sp, #\at]
    strd    even2, odd2, [sp, #ROW_BYTES + \at]
    strd    even0, odd0, [sp, #2 * ROW_BYTES + \at]
    strd    even3, odd3, [sp, #3 * ROW_BYTES + \at]
    .endm

    /* Of a row, channels in registers \x0 to \x3, one for each column. */
    .macro across row, step, x0, x1, x2, x3
    ssub16  \x0, \x0, \x2
    ssub16  \x3, \x3, \x1
    sadd16  sum, \x1, \x2
    ssub16  \x2, \x2, \x1
    str     sum, [values, #\row * POSITION + \step]
    str     \x2, [values, #(4 + \row) * POSITION + \step]
    str     \x0, [values, #(8 + \row) * POSITION + \step]
    str     \x3, [values, #(12 + \row) * POSITION + \step]
    .endm

tinyc1_winograd_values_dsp:
    push    {r4-r11, lr}
    sub     sp, sp, #LOCALS
    add     pitch3, pitch, pitch, lsl #1
    add     sum, in, pixel
    str     sum, [sp, #END]
four_channels:
    column  0
    column  8
    column  16
    column  24
    .irp row, 0, 1, 2, 3
    add     sum, sp, #\row * ROW_BYTES
    ldmia   sum, {r4-r11}
    across  \row, 0, r4, r6, r8, r10
    across  \row, STEP, r5, r7, r9, r11
    .endr
    add     values, values, #2 * STEP
    sub     in, in, pixel, lsl #2
    add     in, in, #4
    ldr     sum, [sp, #END]
    cmp     in, sum
    bne     four_channels
    add     sp, sp, #LOCALS
    pop     {r4-r11, pc}
    .size tinyc1_winograd_values_dsp, . - tinyc1_winograd_values_dsp
