/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of a 3x3 depthwise convolution, channel by channel, in assembly because it has the filter, a group of pixels
 * and two accumulators in registers; depthwise_line_s8_dsp.c is its C twin. tinyc_depthwise_3x3_s8.h has the layouts.
 *
 * void tinyc1_depthwise_line_s8(const tinyc_depthwise_line *line, const tinyc_depthwise_channel *channel,
 *     const int32_t *planes, int8_t *output);
 */
#include "tinyc_fast_requantize_asm.h"

    .syntax unified
    .thumb
    .section .text.tinyc1_depthwise_line_s8, "ax", %progbits
    .align 2
    .weak tinyc1_depthwise_line_s8
    .type tinyc1_depthwise_line_s8, %function
    .thumb_func

    /* pixels of three lines; then the channel's constants, which lie at the bottom of the stack */
    x0          .req r0
    x1          .req r1
    x2          .req r2
    multiplier  .req r0
    half        .req r1
    right       .req r2
    sum0        .req r3
    sum1        .req r4
    /* the filter, in the order of the lines: taps 0 and 1, taps 1 and 2 */
    w0_01       .req r5
    w0_12       .req r6
    w1_01       .req r7
    w1_12       .req r8
    w2_01       .req r9
    w2_12       .req r10
    src         .req r11
    dst         .req r12
    result      .req lr

    .equ at_bias, 12        /* twice */
    .equ at_step, 20
    .equ at_end, 24         /* of src */
    .equ at_odd, 28
    .equ at_channel, 32
    .equ at_src, 36
    .equ at_dst, 40
    .equ at_row, 44
    .equ at_length, 48      /* of the part of a plane that is read in pairs, in bytes */
    .equ at_plane, 52
    .equ at_channels, 56
    .equ at_stride, 60      /* less one */
    .equ frame, 64

    /* The first two pixels of three for `sum`, which are those of a group. */
    .macro first_two sum
    smlad   \sum, x0, w0_01, \sum
    smlad   \sum, x1, w1_01, \sum
    smlad   \sum, x2, w2_01, \sum
    .endm

    /* The last pixel, the lower one of the next group. */
    .macro last_one sum
    smlabt  \sum, x0, w0_12, \sum
    smlabt  \sum, x1, w1_12, \sum
    smlabt  \sum, x2, w2_12, \sum
    .endm

    /* The same where a result begins with the upper pixel of a group. */
    .macro first_one sum
    smlatb  \sum, x0, w0_01, \sum
    smlatb  \sum, x1, w1_01, \sum
    smlatb  \sum, x2, w2_01, \sum
    .endm

    .macro last_two sum
    smlad   \sum, x0, w0_12, \sum
    smlad   \sum, x1, w1_12, \sum
    smlad   \sum, x2, w2_12, \sum
    .endm

    .macro store_pair
    ldm     sp, {multiplier, half, right}
    tinyc_fast_requantize result, sum0, multiplier, half, right
    strb    result, [dst]
    tinyc_fast_requantize result, sum1, multiplier, half, right
    ldrd    sum0, sum1, [sp, #at_step]
    strb    result, [dst, sum0]
    add     dst, dst, sum0, lsl #1
    cmp     src, sum1
    .endm

tinyc1_depthwise_line_s8:
    push    {r3-r11, lr}
    sub     sp, sp, #frame
    ldm     r0, {r4-r9}                 /* row, step, outputs, stride, plane, channels */
    strd    r1, r2, [sp, #at_channel]
    str     r3, [sp, #at_dst]
    str     r5, [sp, #at_step]
    and     r10, r6, #1
    str     r10, [sp, #at_odd]
    lsrs    r6, r6, #1
    add     r6, r6, r6, lsl #1
    adds    r10, r7, #1
    lsls    r6, r6, r10                 /* a pair of results takes `stride` groups of 12 bytes */
    strd    r4, r6, [sp, #at_row]
    strd    r8, r9, [sp, #at_plane]
    subs    r7, r7, #1
    str     r7, [sp, #at_stride]

1:  ldr     lr, [sp, #at_channel]
    ldrd    src, dst, [sp, #at_src]
    ldm     lr!, {r0-r3}
    mov     r4, r3
    stm     sp, {r0-r4}
    ldrd    r3, r4, [sp, #at_row]
    add     lr, lr, r3
    ldm     lr, {w0_01, w0_12, w1_01, w1_12, w2_01, w2_12}
    add     r4, r4, src
    str     r4, [sp, #at_end]
    cmp     src, r4
    beq     4f
    ldr     r0, [sp, #at_stride]
    cbnz    r0, 3f

2:  ldrd    sum0, sum1, [sp, #at_bias]
    ldm     src!, {x0, x1, x2}
    first_two sum0
    first_one sum1
    ldm     src, {x0, x1, x2}
    last_one sum0
    last_two sum1
    store_pair
    bne     2b
    b       4f

3:  ldrd    sum0, sum1, [sp, #at_bias]
    ldm     src!, {x0, x1, x2}
    first_two sum0
    ldm     src!, {x0, x1, x2}
    last_one sum0
    first_two sum1
    ldm     src, {x0, x1, x2}
    last_one sum1
    store_pair
    bne     3b

4:  ldr     r0, [sp, #at_odd]
    cbz     r0, 5f
    ldr     sum0, [sp, #at_bias]
    ldm     src!, {x0, x1, x2}
    first_two sum0
    ldm     src, {x0, x1, x2}
    last_one sum0
    ldm     sp, {multiplier, half, right}
    tinyc_fast_requantize result, sum0, multiplier, half, right
    strb    result, [dst]

5:  add     r4, sp, #at_channel
    ldm     r4, {r0-r2}                 /* channel, src, dst */
    ldrd    r5, r6, [sp, #at_plane]
    adds    r0, r0, #56
    add     r1, r1, r5
    adds    r2, r2, #1
    stm     r4, {r0-r2}
    subs    r6, r6, #1
    str     r6, [sp, #at_channels]
    bne     1b
    add     sp, sp, #frame
    pop     {r3-r11, pc}
    .size tinyc1_depthwise_line_s8, . - tinyc1_depthwise_line_s8
