/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assembly macros: a sum of tinyc_paired_s8.h to a result, by registers named multiplier, addend and shift.
 */
    /* 256 * sum; halves are rounded upwards. */
    .macro requantize_up sum
    smmla   \sum, \sum, multiplier, addend
    asr     \sum, \sum, shift
    ssat    \sum, #8, \sum
    .endm

    /* Halves are rounded away from zero; addend is `away`, shift is `less`. */
    .macro requantize_away sum
    smmlar  \sum, \sum, multiplier, \sum
    add     \sum, \sum, \sum, asr #31
    asr     \sum, \sum, shift
    add     \sum, \sum, addend
    ssat    \sum, #8, \sum, asr #1
    .endm
