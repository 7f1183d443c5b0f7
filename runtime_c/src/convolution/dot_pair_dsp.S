/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dot products of two columns with two rows of weights: the inner loop of tinyc_mat_mult_pair_dsp. In assembly
 * because its 14 live values need every register; dot_pair_dsp.c is its C twin.
 *
 * void tinyc1_dot_pair_dsp(int32_t acc[4], const int16_t *pair, const int8_t *weights, int32_t second_row,
 *     int32_t groups);
 *
 * For each of `groups` groups of four k: acc[0] and acc[1] += column 0 with the row at weights and the one
 * second_row bytes further on; acc[2] and acc[3] += column 1 with the same rows. The pair is laid out as
 * tinyc_pair_dsp.h says and aligned to 4 bytes; weights need no alignment.
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_dot_pair_dsp, "ax", %progbits
    .align 2
    .weak tinyc1_dot_pair_dsp
    .type tinyc1_dot_pair_dsp, %function
    .thumb_func

    w_even  .req r0
    x       .req r1
    w       .req r2
    second  .req r3
    sum0    .req r4
    sum1    .req r5
    sum2    .req r6
    sum3    .req r7
    x0_even .req r8
    x0_odd  .req r9
    x1_even .req r10
    x1_odd  .req r11
    count   .req r12
    w_odd   .req lr

    /* A word of weights is in w_odd: multiply it with both columns. */
    .macro multiply_word column0, column1
    sxtb16  w_even, w_odd
    smlad   \column0, w_even, x0_even, \column0
    smlad   \column1, w_even, x1_even, \column1
    sxtb16  w_odd, w_odd, ror #8
    smlad   \column0, w_odd, x0_odd, \column0
    smlad   \column1, w_odd, x1_odd, \column1
    .endm

    .macro multiply_group
    ldmia   x!, {x0_even, x0_odd, x1_even, x1_odd}
    ldr     w_odd, [w, second]
    multiply_word sum1, sum3
    ldr     w_odd, [w], #4
    multiply_word sum0, sum2
    .endm

tinyc1_dot_pair_dsp:
    push    {r0, r4-r11, lr}
    ldr     count, [sp, #40]
    ldmia   r0, {sum0, sum1, sum2, sum3}
    lsrs    count, count, #1
    bcc     1f
    multiply_group
1:  cmp     count, #0
    beq     3f
2:  multiply_group
    subs    count, count, #1
    multiply_group
    bne     2b
3:  pop     {r0}
    stmia   r0, {sum0, sum1, sum2, sum3}
    pop     {r4-r11, pc}
    .size tinyc1_dot_pair_dsp, . - tinyc1_dot_pair_dsp
