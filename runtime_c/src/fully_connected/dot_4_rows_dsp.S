/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dot products of a row of activations with four rows of weights: the inner loop of tinyc_vec_mat_s8 on cores
 * with SMLAD. In assembly because its 14 live values need every register; dot_4_rows_dsp.c is its C twin.
 *
 * void tinyc1_dot_4_rows_dsp(
 *     int32_t acc[4], const int8_t *x, const int8_t *weights, int32_t depth, int32_t lhs_offset);
 *
 * acc[r] += sum over k of (x[k] + lhs_offset) * weights[r * depth + k]. int8 data need no alignment.
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_dot_4_rows_dsp, "ax", %progbits
    .align 2
    .weak tinyc1_dot_4_rows_dsp
    .type tinyc1_dot_4_rows_dsp, %function
    .thumb_func

    x       .req r1
    w0      .req r2      /* row 0; rows 1 and 2 are reached by depth */
    depth   .req r3
    sum0    .req r4
    sum1    .req r5
    sum2    .req r6
    sum3    .req r7
    count   .req r8
    w3      .req r9
    offsets .req r10
    x_even  .req r11
    x_odd   .req r12
    w_odd   .req lr
    w_even  .req r0

    /* A word of weights is in w_odd: multiply it with the four activations. */
    .macro multiply_word acc
    sxtb16  w_even, w_odd
    smlad   \acc, w_even, x_even, \acc
    sxtb16  w_odd, w_odd, ror #8
    smlad   \acc, w_odd, x_odd, \acc
    .endm

    /* Four activations and all four rows. */
    .macro multiply_4
    ldr     x_odd, [x], #4
    ldr     w_odd, [w0, depth]
    sxtab16 x_even, offsets, x_odd
    sxtab16 x_odd, offsets, x_odd, ror #8
    multiply_word sum1
    ldr     w_odd, [w0, depth, lsl #1]
    multiply_word sum2
    ldr     w_odd, [w3], #4
    multiply_word sum3
    ldr     w_odd, [w0], #4
    multiply_word sum0
    .endm

tinyc1_dot_4_rows_dsp:
    push    {r0, r4-r11, lr}
    ldr     offsets, [sp, #40]
    ldmia   r0, {sum0, sum1, sum2, sum3}
    add     w3, w0, depth, lsl #1
    add     w3, w3, depth
    uxth    offsets, offsets
    orr     offsets, offsets, offsets, lsl #16

    lsrs    count, depth, #3
    beq     2f
1:  multiply_4
    subs    count, count, #1
    multiply_4
    bne     1b
2:  tst     depth, #4
    beq     3f
    multiply_4
3:  ands    count, depth, #3
    beq     5f
    sxth    offsets, offsets
4:  ldrsb   x_even, [w0, depth, lsl #1]
    ldrsb   x_odd, [x], #1
    ldrsb   w_even, [w0, depth]
    add     x_odd, x_odd, offsets
    ldrsb   w_odd, [w3], #1
    mla     sum2, x_even, x_odd, sum2
    mla     sum1, w_even, x_odd, sum1
    ldrsb   w_even, [w0], #1
    mla     sum3, w_odd, x_odd, sum3
    mla     sum0, w_even, x_odd, sum0
    subs    count, count, #1
    bne     4b
5:  pop     {r0}
    stmia   r0, {sum0, sum1, sum2, sum3}
    pop     {r4-r11, pc}
    .size tinyc1_dot_4_rows_dsp, . - tinyc1_dot_4_rows_dsp
