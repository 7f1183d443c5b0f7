/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tinyc_fully_connected_packed_s8 on Helium (see tinyc_packed_s8.h; fully_connected_packed_s8_portable.c is its C
 * twin): four channels at a time. In assembly for the tail-predicated hardware loop and the sums in even registers.
 *
 * void tinyc1_fully_connected_packed_s8(
 *     const tinyc_packed_fully_connected_s8 *layer, const int8_t *in, int8_t *out);
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_fully_connected_packed_s8, "ax", %progbits
    .align 2
    .weak tinyc1_fully_connected_packed_s8
    .type tinyc1_fully_connected_packed_s8, %function
    .thumb_func

    sum0    .req r0
    sum1    .req r2
    sum2    .req r4
    sum3    .req r6
    row0    .req r1
    row1    .req r3
    row2    .req r5
    row3    .req r7
    depth   .req r8
    filter  .req r9
    bias    .req r10
    out     .req r11
    vector  .req r12

    /* On the stack. */
    .equ    IN, 0
    .equ    LEFT, 4      /* channels */
    .equ    PLAIN, 8     /* not below 0: negative values are clamped, or nothing is shifted out */
    .equ    FRAME, 12

tinyc1_fully_connected_packed_s8:
    push    {r4-r11, lr}
    vpush   {d8-d15}
    sub     sp, #FRAME
    mov     out, r2
    str     r1, [sp, #IN]
    ldrd    filter, bias, [r0]
    ldrd    depth, r1, [r0, #8]
    str     r1, [sp, #LEFT]
    ldrd    r1, r2, [r0, #16]
    vdup.32 q3, r1
    vdup.32 q4, r2
    ldrd    r3, r4, [r0, #24]
    ldr     r5, [r0, #32]
    vdup.32 q5, r3
    vdup.32 q6, r4
    vdup.32 q7, r5
    sub     r4, r3
    cmp     r2, #0
    it      eq
    moveq   r4, #0
    str     r4, [sp, #PLAIN]
1:  mov     row0, filter
    add     row1, row0, depth
    add     row2, row1, depth
    add     row3, row2, depth
    add     filter, row3, depth
    ldr     vector, [sp, #IN]
    movs    sum0, #0
    movs    sum1, #0
    movs    sum2, #0
    movs    sum3, #0
    dlstp.8 lr, depth
2:  vldrb.u8 q0, [vector], #16
    vldrb.u8 q1, [row0], #16
    vmladava.s8 sum0, q0, q1
    vldrb.u8 q2, [row1], #16
    vmladava.s8 sum1, q0, q2
    vldrb.u8 q1, [row2], #16
    vmladava.s8 sum2, q0, q1
    vldrb.u8 q2, [row3], #16
    vmladava.s8 sum3, q0, q2
    letp    lr, 2b
    vmov    q0[2], q0[0], sum0, sum2
    vmov    q0[3], q0[1], sum1, sum3
    vldrw.u32 q1, [bias], #16
    ldr     r0, [sp, #PLAIN]
    vadd.i32 q0, q0, q1
    cmp     r0, #0
    vqrdmulh.s32 q0, q0, q3
    bge     3f
    vshr.s32 q1, q0, #31 /* vrshl rounds half upwards: half away from zero, once negative values are lowered by one */
    vqadd.s32 q0, q0, q1
3:  vrshl.s32 q0, q0, q4
    mov     r0, out
    ldr     r1, [sp, #LEFT]
    vadd.i32 q0, q0, q5
    vmax.s32 q0, q0, q6
    vmin.s32 q0, q0, q7
    subs    r1, #4
    bmi     4f
    vstrb.32 q0, [r0]
    add     out, #4
    str     r1, [sp, #LEFT]
    bne     1b
    b       5f
4:  adds    r1, #4
    vctp.32 r1
    vpst
    vstrbt.32 q0, [r0]
5:  add     sp, #FRAME
    vpop    {d8-d15}
    pop     {r4-r11, pc}
    .size tinyc1_fully_connected_packed_s8, . - tinyc1_fully_connected_packed_s8
