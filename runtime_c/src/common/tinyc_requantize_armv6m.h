/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requantization for Thumb-1 assembly, which has no long multiplication: macros for .S files.
 *
 * The specification rounds twice: y = floor((sum * multiplier + 2^30) / 2^31), then y / 2^exponent, halves away from
 * zero. For exponent >= 1 that is one shift:
 *     floor((sum * multiplier + 2^30 + 2^(30 + exponent) - (sum < 0 ? 2^31 : 0)) / 2^(31 + exponent))
 * because nested floors are one, and lowering a negative y by one turns "away from zero" into "upwards". (A negative
 * sum whose y is 0 has y / 2^exponent = 0 either way.)
 * The product is made in three parts of the multiplier, of 11, 11 and 9 bits, so that a sum in [-2^20, 2^20) overflows
 * no word. What the shifts by 11 drop is dropped by the floor as well.
 */

    /* r1, r2, r3: the parts of the multiplier in \multiplier, lowest first. */
    .macro split_multiplier multiplier
    lsls    r1, \multiplier, #21
    lsrs    r1, r1, #21
    lsls    r2, \multiplier, #10
    lsrs    r2, r2, #21
    lsrs    r3, \multiplier, #22
    .endm

    /* r4 = what is added before the shift by r6 = 9 + exponent, in units of 2^22, from r4 = the output's zero point. */
    .macro rounding_constant
    lsls    r4, r4, #1
    adds    r4, r4, #1
    subs    r5, r6, #1
    lsls    r4, r5
    adds    r4, #255
    adds    r4, #1
    .endm

    /*
     * r0: a sum in [-2^20, 2^20) in, the output out. r1-r3: the parts of the multiplier. r6: 9 + exponent. \rounding,
     * \lowest, \highest: high registers. Uses r4, r5.
     */
    .macro requantize rounding, lowest, highest
    movs    r4, r0
    muls    r4, r1, r4
    asrs    r4, r4, #11
    movs    r5, r0
    muls    r5, r2, r5
    adds    r4, r4, r5
    asrs    r4, r4, #11
    asrs    r5, r0, #31
    lsls    r5, r5, #9
    muls    r0, r3, r0
    adds    r0, r0, r4
    adds    r0, r0, r5
    add     r0, \rounding
    asrs    r0, r6
    cmp     r0, \lowest
    bge     11f
    mov     r0, \lowest
11: cmp     r0, \highest
    ble     12f
    mov     r0, \highest
12:
    .endm

    /* r0: a sum in, the nearest one in [-2^20, 2^20) out. \limit: 2^20 in a high register. Uses r4. */
    .macro limit_sum limit
    mov     r4, \limit
    adds    r4, r4, r0
    lsrs    r4, r4, #21
    beq     10f
    asrs    r4, r0, #31
    mov     r0, \limit
    subs    r0, #1
    eors    r0, r4
10:
    .endm
