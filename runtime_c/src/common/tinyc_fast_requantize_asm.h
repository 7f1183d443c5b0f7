/* SPDX-License-Identifier: Apache-2.0 */
/* tinyc_fast_requantize of tinyc_fast_requantize_dsp.h, as a macro for assembly. */

    /* result must be none of the other registers. */
    .macro tinyc_fast_requantize result, twice_acc, multiplier, half, right
    smmlar  \result, \twice_acc, \multiplier, \half
    add     \result, \result, \twice_acc, asr #31
    asr     \result, \result, \right
    ssat    \result, #8, \result
    .endm
