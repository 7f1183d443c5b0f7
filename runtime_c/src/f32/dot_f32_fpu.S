/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dot products for single-precision FPUs with 32 registers: eight sums, and four factors at a time of both inputs and
 * of four rows of weights, by load-multiple. dot_f32_portable.c is the C twin: the same contract (tinyc_dot_f32.h),
 * the same order of additions.
 *
 * void tinyc1_dot4x1_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x);
 * void tinyc1_dot4x2_f32(tinyc_dot_tile *tile, const tinyc_dot_shape *shape, const float *x, int32_t step);
 */
    .syntax unified
    .thumb

    tile    .req r0
    spare   .req r1 /* the shape, at first */
    x       .req r2
    u       .req r3 /* x + step */
    w0      .req r4
    w1      .req r5
    w2      .req r6
    w3      .req r7
    count   .req r8
    rows    .req r9
    x_skip  .req r10 /* bytes from the end of a run to the beginning of the next */
    w_skip  .req r11
    runs    .req r12
    length  .req lr

    /* Places in tinyc_dot_shape, behind rows, runs and length. */
    .equ X_ROW, 12
    .equ X_RUN, 16
    .equ W_ROW, 20
    .equ W_RUN, 24

    /* Places on the stack: bytes from the end of a row to the beginning of the next, of x and of the weights, and the
     * number of runs in a row. */
    .equ ROW_SKIPS, 0
    .equ ALL_RUNS, 8
    .equ FRAME, 16

    .macro advance x_bytes, w_bytes, pair
    add     x, x, \x_bytes
    .if \pair
    add     u, u, \x_bytes
    .endif
    add     w0, w0, \w_bytes
    add     w1, w1, \w_bytes
    add     w2, w2, \w_bytes
    add     w3, w3, \w_bytes
    .endm

    /* The sums += one factor of x and of u, by a weight of each row. */
    .macro multiply xi, ui, a, b, c, d, pair
    vfma.f32 s0, \xi, \a
    vfma.f32 s1, \xi, \b
    vfma.f32 s2, \xi, \c
    vfma.f32 s3, \xi, \d
    .if \pair
    vfma.f32 s4, \ui, \a
    vfma.f32 s5, \ui, \b
    vfma.f32 s6, \ui, \c
    vfma.f32 s7, \ui, \d
    .endif
    .endm

    /* to = bytes that a stride, in elements, is longer than so many elements. */
    .macro skip to, stride, elements
    ldr     \to, [spare, #\stride]
    sub     \to, \to, \elements
    lsls    \to, \to, #2
    .endm

    /* All rows, of two inputs or of one. */
    .macro multiply_rows pair
1:  ldr     runs, [sp, #ALL_RUNS]
2:  subs    count, length, #4
    blt     4f
3:  vldmia  x!, {s8-s11}
    .if \pair
    vldmia  u!, {s12-s15}
    .endif
    vldmia  w0!, {s16-s19}
    vldmia  w1!, {s20-s23}
    vldmia  w2!, {s24-s27}
    vldmia  w3!, {s28-s31}
    multiply s8, s12, s16, s20, s24, s28, \pair
    multiply s9, s13, s17, s21, s25, s29, \pair
    multiply s10, s14, s18, s22, s26, s30, \pair
    subs    count, count, #4
    multiply s11, s15, s19, s23, s27, s31, \pair
    bge     3b
4:  adds    count, count, #4
    beq     5f
7:  vldmia  x!, {s8}
    .if \pair
    vldmia  u!, {s12}
    .endif
    vldmia  w0!, {s16}
    vldmia  w1!, {s20}
    vldmia  w2!, {s24}
    vldmia  w3!, {s28}
    multiply s8, s12, s16, s20, s24, s28, \pair
    subs    count, count, #1
    bne     7b
5:  advance x_skip, w_skip, \pair
    subs    runs, runs, #1
    bgt     2b
    ldrd    spare, count, [sp, #ROW_SKIPS]
    advance spare, count, \pair
    subs    rows, rows, #1
    bgt     1b
    .endm

    .section .text.tinyc1_dot_f32, "ax", %progbits
    .align 2
    .macro function name
    .weak \name
    .type \name, %function
    .thumb_func
\name:
    .endm

    function tinyc1_dot4x1_f32
    movs    u, #0                       /* none */
    b       0f
    function tinyc1_dot4x2_f32
    add     u, x, u, lsl #2
0:  push    {r4-r11, lr}
    vpush   {s16-s31}
    sub     sp, sp, #FRAME
    ldmia   spare, {rows, runs, length}
    str     runs, [sp, #ALL_RUNS]
    skip    x_skip, X_RUN, length
    skip    w_skip, W_RUN, length
    /* After a row's last run, the pointers stand runs * stride of a run further on. */
    ldr     count, [spare, #X_RUN]
    mul     count, count, runs
    skip    w0, X_ROW, count
    ldr     count, [spare, #W_RUN]
    mul     count, count, runs
    skip    w1, W_ROW, count
    strd    w0, w1, [sp, #ROW_SKIPS]
    ldmia   tile!, {w0, w1, w2, w3}
    vldmia  tile, {s0-s7}
    cmp     rows, #0
    it      gt
    cmpgt   runs, #0
    ble     9f
    cmp     u, #0
    beq     single
    multiply_rows 1
    b       9f
single:
    multiply_rows 0
9:  vstmia  tile, {s0-s7}               /* of a single input, the others as they were */
    add     sp, sp, #FRAME
    vpop    {s16-s31}
    pop     {r4-r11, pc}
    .size tinyc1_dot4x1_f32, . - tinyc1_dot4x1_f32
    .size tinyc1_dot4x2_f32, . - tinyc1_dot4x2_f32
