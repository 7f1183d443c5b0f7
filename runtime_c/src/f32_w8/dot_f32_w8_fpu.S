/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four dot products with weights of int8 for single-precision FPUs with 32 registers: a word has four weights of a row,
 * two registers move to the FPU at a time. dot_f32_w8_portable.c is the C twin: the same order of additions. Weights
 * lie anywhere: cores with such an FPU read unaligned words.
 *
 * void tinyc1_dot4_f32_w8(const int8_t *const weights[4], const float *x, int32_t count, float sums[4]);
 */
    .syntax unified
    .thumb

    rows    .req r0
    x       .req r1
    count   .req r2
    sums    .req r3
    w0      .req r4
    w1      .req r5
    w2      .req r6
    w3      .req r7
    word    .req r8
    even    .req r9
    odd     .req r10

    /* The next four weights of a row as floats. */
    .macro convert w, a, b, c, d
    ldr     word, [\w], #4
    sxtb    even, word
    sxtb    odd, word, ror #8
    vmov    \a, \b, even, odd
    sxtb    even, word, ror #16
    asrs    odd, word, #24
    vmov    \c, \d, even, odd
    vcvt.f32.s32 \a, \a
    vcvt.f32.s32 \b, \b
    vcvt.f32.s32 \c, \c
    vcvt.f32.s32 \d, \d
    .endm

    /* The next weight of a row. */
    .macro convert_one w, a
    ldrsb   word, [\w], #1
    vmov    \a, word
    vcvt.f32.s32 \a, \a
    .endm

    .macro multiply value, a, b, c, d
    vfma.f32 s0, \value, \a
    vfma.f32 s1, \value, \b
    vfma.f32 s2, \value, \c
    vfma.f32 s3, \value, \d
    .endm

    .section .text.tinyc1_dot4_f32_w8, "ax", %progbits
    .align 2
    .weak tinyc1_dot4_f32_w8
    .type tinyc1_dot4_f32_w8, %function
    .thumb_func
tinyc1_dot4_f32_w8:
    push    {r4-r10, lr}
    vpush   {s16-s23}
    ldmia   rows, {w0, w1, w2, w3}
    movs    word, #0
    vmov    s0, word
    vmov    s1, word
    vmov    s2, word
    vmov    s3, word
    subs    count, count, #4
    blt     2f
1:  vldmia  x!, {s4-s7}
    convert w0, s8, s9, s10, s11
    convert w1, s12, s13, s14, s15
    convert w2, s16, s17, s18, s19
    convert w3, s20, s21, s22, s23
    multiply s4, s8, s12, s16, s20
    multiply s5, s9, s13, s17, s21
    multiply s6, s10, s14, s18, s22
    subs    count, count, #4
    multiply s7, s11, s15, s19, s23
    bge     1b
2:  adds    count, count, #4
    beq     4f
3:  vldmia  x!, {s4}
    convert_one w0, s8
    convert_one w1, s12
    convert_one w2, s16
    convert_one w3, s20
    multiply s4, s8, s12, s16, s20
    subs    count, count, #1
    bne     3b
4:  vstmia  sums, {s0-s3}
    vpop    {s16-s23}
    pop     {r4-r10, pc}
    .size tinyc1_dot4_f32_w8, . - tinyc1_dot4_f32_w8
