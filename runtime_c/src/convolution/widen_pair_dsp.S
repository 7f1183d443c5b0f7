/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void tinyc1_widen_pair_dsp(int16_t *pair, const int8_t *in0, const int8_t *in1, int32_t count, int32_t rows,
 *     int32_t gap0, int32_t gap1);
 *
 * See tinyc_paired_dsp.h; in assembly so that a group of four is stored by one STM. widen_pair_dsp.c is its C twin.
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_widen_pair_dsp, "ax", %progbits
    .align 2
    .weak tinyc1_widen_pair_dsp
    .type tinyc1_widen_pair_dsp, %function
    .thumb_func

    pair    .req r0
    in0     .req r1
    in1     .req r2
    count   .req r3
    even0   .req r4
    even1   .req r5
    odd0    .req r6
    odd1    .req r7
    left    .req r8
    rows    .req r9
    gap0    .req r10
    gap1    .req r11
    word0   .req r12
    word1   .req lr

    .macro widen_four
    ldr     word0, [in0], #4
    ldr     word1, [in1], #4
    sxtb16  even0, word0
    sxtb16  even1, word1
    sxtb16  odd0, word0, ror #8
    sxtb16  odd1, word1, ror #8
    stmia   pair!, {even0, even1, odd0, odd1}
    .endm

tinyc1_widen_pair_dsp:
    push    {r4-r11, lr}
    add     r9, sp, #36
    ldmia   r9, {r9-r11}
row:
    subs    left, count, #8
    blt     2f
1:  widen_four
    widen_four
    subs    left, left, #8
    bge     1b
2:  /* Bit 2 of the count to the carry, bits 1 and 0 to 31 and 30: subtracting 8 keeps them. */
    lsls    left, left, #30
    bcc     3f
    widen_four
3:  beq     5f                          /* by the flags of the shift */
    bpl     4f
    ldrsb   even0, [in0], #1
    ldrsb   odd0, [in0], #1
    ldrsb   even1, [in1], #1
    ldrsb   odd1, [in1], #1
    pkhbt   even0, even0, odd0, lsl #16
    pkhbt   even1, even1, odd1, lsl #16
    stmia   pair!, {even0, even1}
    lsls    left, left, #1
    beq     5f
4:  ldrsb   even0, [in0], #1
    ldrsb   even1, [in1], #1
    uxth    even0, even0
    uxth    even1, even1
    stmia   pair!, {even0, even1}
5:  add     in0, in0, gap0
    add     in1, in1, gap1
    subs    rows, rows, #1
    bne     row
    pop     {r4-r11, pc}
    .size tinyc1_widen_pair_dsp, . - tinyc1_widen_pair_dsp
