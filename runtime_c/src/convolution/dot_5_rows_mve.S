/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dot products of a vector with five rows of int8: the inner loop of matrix products on Helium. In assembly
 * for its tail-predicated hardware loop, which compilers do not form; dot_5_rows_mve.c is its C twin.
 *
 * int32_t tinyc1_dot_5_rows_mve(
 *     int32_t acc[5], const int8_t *rows, int32_t stride, const int8_t *vector, int32_t depth);
 *
 * acc[r] = sum over k of rows[r * stride + k] * vector[k]; returns the sum of the vector's elements.
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_dot_5_rows_mve, "ax", %progbits
    .align 2
    .weak tinyc1_dot_5_rows_mve
    .type tinyc1_dot_5_rows_mve, %function
    .thumb_func

    row0    .req r1
    row1    .req r5
    row2    .req r7
    row3    .req r9
    row4    .req r11
    stride  .req r2
    vector  .req r3
    depth   .req r0
    sum0    .req r4      /* accumulators of vmladava are even registers */
    sum1    .req r6
    sum2    .req r8
    sum3    .req r10
    sum4    .req r12
    total   .req r2      /* once the stride is not needed any more */

tinyc1_dot_5_rows_mve:
    push    {r0, r4-r11, lr}
    ldr     depth, [sp, #40]
    add     row1, row0, stride
    add     row2, row1, stride
    add     row3, row2, stride
    add     row4, row3, stride
    movs    sum0, #0
    movs    sum1, #0
    mov     sum2, sum0
    mov     sum3, sum0
    mov     sum4, sum0
    movs    total, #0
    wlstp.8 lr, depth, 2f
1:  vldrb.u8 q0, [vector], #16
    vldrb.u8 q1, [row0], #16
    vaddva.s8 total, q0
    vldrb.u8 q2, [row1], #16
    vmladava.s8 sum0, q0, q1
    vldrb.u8 q3, [row2], #16
    vmladava.s8 sum1, q0, q2
    vldrb.u8 q1, [row3], #16
    vmladava.s8 sum2, q0, q3
    vldrb.u8 q2, [row4], #16
    vmladava.s8 sum3, q0, q1
    vmladava.s8 sum4, q0, q2
    letp    lr, 1b
2:  pop     {r3}
    stmia   r3, {sum0, sum1, sum2, sum3, sum4}
    mov     r0, total
    pop     {r4-r11, pc}
    .size tinyc1_dot_5_rows_mve, . - tinyc1_dot_5_rows_mve
