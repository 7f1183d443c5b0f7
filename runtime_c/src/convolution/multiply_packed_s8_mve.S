/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tinyc_multiply_packed_s8 on Helium (see tinyc_packed_s8.h; multiply_packed_s8_portable.c is its C twin): three rows by two
 * channels at a time, so that five loaded vectors serve six multiplications. In assembly because compilers neither
 * keep the six sums in even registers nor form the hardware loop.
 *
 * void tinyc1_multiply_packed_s8(
 *     const tinyc_packed_product_s8 *product, const int8_t *rows, int32_t count, int8_t *out);
 *
 * A group of four channels is two passes over the rows: forwards for channels 0 and 2, backwards for 1 and 3, so that
 * the rows' addresses need no correction. Sums of a pass go to lanes 0 and 2, or 1 and 3, of a vector for each row,
 * in which they are requantized. Where fewer rows are left, the last one is computed, and stored, more than once.
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_multiply_packed_s8, "ax", %progbits
    .align 2
    .weak tinyc1_multiply_packed_s8
    .type tinyc1_multiply_packed_s8, %function
    .thumb_func

    row0    .req r1
    row1    .req r3
    row2    .req r5
    filter  .req r7
    depth   .req r9
    scale   .req r11
    loops   .req r12     /* vectors of a row but one */

    /* Between the passes: what stays on the stack, in the order of a load of all. */
    out0    .req r0
    out1    .req r2
    out2    .req r4
    zero    .req r6
    min     .req r8
    max     .req r10
    left    .req lr      /* channels */

    /* A vector of each row times one of two channels. op: vmladav or vmladava. */
    .macro  step op, row0_at, row1_at, row2_at
    vldrb.u8 q0, \row0_at
    vldrb.u8 q3, [filter], #16
    \op\().s8 r0, q0, q3
    vldrb.u8 q1, \row1_at
    \op\().s8 r4, q1, q3
    vldrb.u8 q2, \row2_at
    \op\().s8 r8, q2, q3
    vldrb.u8 q4, [filter], #16
    \op\().s8 r2, q0, q4
    \op\().s8 r6, q1, q4
    \op\().s8 r10, q2, q4
    .endm

    /* vrshl rounds half upwards; half away from zero needs negative values lowered by one where bits are shifted out */
    .macro  lower_negative value
    vand    q3, \value, q2
    vshr.s32 q3, q3, #31
    vqadd.s32 \value, \value, q3
    .endm

tinyc1_multiply_packed_s8:
    push    {r4-r11, lr}
    vpush   {d8-d15}
    sub     sp, #28
    ldrd    filter, scale, [r0]
    ldrd    depth, lr, [r0, #8]
    ldrd    zero, min, [r0, #16]
    ldr     max, [r0, #24]
    mov     r4, r2
    mov     out0, r3
    mov     out1, out0
    mov     row1, row0
    cmp     r4, #1
    itt     gt
    addgt   out1, left
    addgt   row1, depth
    cmp     r4, #2
    mov     out2, out1
    mov     row2, row1
    itt     gt
    addgt   out2, left
    addgt   row2, depth
    stmia   sp, {r0, r2, r4, r6, r8, r10, lr}
    lsrs    loops, depth, #4
    sub     loops, #1
1:  step    vmladav, "[row0], #16", "[row1], #16", "[row2], #16"
    wls     lr, loops, 3f
2:  step    vmladava, "[row0], #16", "[row1], #16", "[row2], #16"
    le      lr, 2b
3:  vmov    q5[2], q5[0], r0, r2
    vmov    q6[2], q6[0], r4, r6
    vmov    q7[2], q7[0], r8, r10
    step    vmladav, "[row0, #-16]!", "[row1, #-16]!", "[row2, #-16]!"
    wls     lr, loops, 5f
4:  step    vmladava, "[row0, #-16]!", "[row1, #-16]!", "[row2, #-16]!"
    le      lr, 4b
5:  vmov    q5[3], q5[1], r0, r2
    vmov    q6[3], q6[1], r4, r6
    vmov    q7[3], q7[1], r8, r10
    ldmia   sp, {r0, r2, r4, r6, r8, r10, lr}
    vldrw.u32 q0, [scale], #16
    vldrw.u32 q1, [scale], #16
    vadd.i32 q5, q5, q0
    vadd.i32 q6, q6, q0
    vqrdmulh.s32 q5, q5, q1
    vadd.i32 q7, q7, q0
    vqrdmulh.s32 q6, q6, q1
    vldrw.u32 q2, [scale], #16
    vqrdmulh.s32 q7, q7, q1
    cmp     min, zero
    bge     6f           /* what is rounded otherwise is clamped */
    lower_negative q5
    lower_negative q6
    lower_negative q7
6:  vrshl.s32 q5, q5, q2
    vdup.32 q3, min
    vadd.i32 q5, q5, zero
    vrshl.s32 q6, q6, q2
    vmax.s32 q5, q5, q3
    vadd.i32 q6, q6, zero
    vrshl.s32 q7, q7, q2
    vmax.s32 q6, q6, q3
    vdup.32 q4, max
    vadd.i32 q7, q7, zero
    vmin.s32 q5, q5, q4
    vmax.s32 q7, q7, q3
    vmin.s32 q6, q6, q4
    vmin.s32 q7, q7, q4
    subs    left, #4
    bmi     7f
    vstrb.32 q5, [out0], #4
    vstrb.32 q6, [out1], #4
    vstrb.32 q7, [out2], #4
    stmia   sp, {r0, r2, r4, r6, r8, r10, lr}
    bne     1b
    b       8f
7:  add     left, #4
    vctp.32 left
    vpsttt
    vstrbt.32 q5, [out0]
    vstrbt.32 q6, [out1]
    vstrbt.32 q7, [out2]
8:  add     sp, #28
    vpop    {d8-d15}
    pop     {r4-r11, pc}
    .size tinyc1_multiply_packed_s8, . - tinyc1_multiply_packed_s8
