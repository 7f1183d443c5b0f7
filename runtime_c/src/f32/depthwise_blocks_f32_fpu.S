/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pixel of a depthwise convolution on single-precision FPUs with 32 registers: eight channels at a time, then
 * four, by load-multiple. depthwise_pixel_f32_fpu.c describes the window and calls it.
 *
 * void tinyc1_depthwise_blocks_f32(tinyc_depthwise_walk *walk);
 */
    .syntax unified
    .thumb

    walk    .req r0
    x       .req r1
    w       .req r2
    out     .req r3
    bias    .req r4
    left    .req r5
    rows    .req r6
    columns .req r7
    x_step  .req r8
    x_skip  .req r9
    w_step  .req r10
    w_skip  .req r11
    count   .req r12

    /* Places in tinyc_depthwise_walk that are read again for each block. */
    .equ X, 0
    .equ W, 4
    .equ ROWS, 20
    .equ LIMITS, 44

    low     .req s30
    high    .req s31

    .macro clamp value
    vcmp.f32 \value, low
    vmrs    APSR_nzcv, fpscr
    it      mi
    vmovmi.f32 \value, low
    vcmp.f32 \value, high
    vmrs    APSR_nzcv, fpscr
    it      gt
    vmovgt.f32 \value, high
    .endm

    /* `channels` channels: sums in s0 ..., activations in s8 ..., weights in s16 .... */
    .macro block channels, sums:vararg
    ldr     x, [walk, #X]
    ldr     w, [walk, #W]
    ldr     rows, [walk, #ROWS]
    cbz     bias, 6f
    .if \channels == 8
    vldmia  bias!, {s0-s7}
    .else
    vldmia  bias!, {s0-s3}
    .endif
    b       7f
6:  .irp value, \sums
    vmov    \value, bias /* no bias: zero */
    .endr
7:  cmp     rows, #0
    beq     3f
1:  mov     count, columns
2:
    .if \channels == 8
    vldmia  x, {s8-s15}
    vldmia  w, {s16-s23}
    .else
    vldmia  x, {s8-s11}
    vldmia  w, {s16-s19}
    .endif
    vfma.f32 s0, s8, s16
    vfma.f32 s1, s9, s17
    vfma.f32 s2, s10, s18
    vfma.f32 s3, s11, s19
    .if \channels == 8
    vfma.f32 s4, s12, s20
    vfma.f32 s5, s13, s21
    vfma.f32 s6, s14, s22
    vfma.f32 s7, s15, s23
    .endif
    add     x, x, x_step
    add     w, w, w_step
    subs    count, count, #1
    bne     2b
    add     x, x, x_skip
    add     w, w, w_skip
    subs    rows, rows, #1
    bne     1b
3:  .irp value, \sums
    clamp   \value
    .endr
    .if \channels == 8
    vstmia  out!, {s0-s7}
    .else
    vstmia  out!, {s0-s3}
    .endif
    .endm

    .section .text.tinyc1_depthwise_blocks_f32, "ax", %progbits
    .align 2
    .weak tinyc1_depthwise_blocks_f32
    .type tinyc1_depthwise_blocks_f32, %function
    .thumb_func
tinyc1_depthwise_blocks_f32:
    push    {r4-r11, lr}
    vpush   {s16-s31}
    add     r12, walk, #LIMITS
    vldmia  r12, {low, high}
    ldmia   walk, {x, w, out, bias, left, rows, columns, x_step, x_skip, w_step, w_skip}
    subs    left, left, #8
    blt     5f
4:  block   8, s0, s1, s2, s3, s4, s5, s6, s7
    ldr     x, [walk, #X]
    ldr     w, [walk, #W]
    add     x, x, #32
    add     w, w, #32
    str     x, [walk, #X]
    str     w, [walk, #W]
    subs    left, left, #8
    bge     4b
5:  adds    left, left, #4
    blt     8f
    block   4, s0, s1, s2, s3
8:  vpop    {s16-s31}
    pop     {r4-r11, pc}
    .size tinyc1_depthwise_blocks_f32, . - tinyc1_depthwise_blocks_f32
