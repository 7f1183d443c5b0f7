/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tinyc_depthwise_run_s8 on Helium (see tinyc_packed_s8.h; depthwise_run_s8_portable.c is its C twin). In assembly
 * because nine addresses, the loop's count and what is written with take all registers.
 *
 * void tinyc1_depthwise_run_s8(
 *     const tinyc_packed_depthwise_s8 *layer, const tinyc_depthwise_run *run, int8_t *out);
 *
 * Eight channels at a time, even and odd ones in a vector of sums each. Taps are read one after another, so that a
 * pixel leaves their addresses at the next pixel's where the stride is 1.
 */
    .syntax unified
    .thumb
    .section .text.tinyc1_depthwise_run_s8, "ax", %progbits
    .align 2
    .weak tinyc1_depthwise_run_s8
    .type tinyc1_depthwise_run_s8, %function
    .thumb_func

    /* Loads that widen, and stores that narrow, need r0-r7: the last two taps and the result take the place of tap6. */
    tap6    .req r6
    packed  .req r7
    tap7    .req r8
    tap8    .req r9
    out     .req r10
    zero    .req r11
    kept    .req r12

    /* On the stack. */
    .equ    PIXELS, 0
    .equ    BLOCKS, 4    /* that do not overlap the one before them */
    .equ    BACK, 8      /* channels that the last block shares with the one before it */
    .equ    IN_STEP, 12  /* from the end of a pixel's channels on */
    .equ    OUT_STEP, 16
    .equ    PACKED, 20
    .equ    CLAMPED, 24  /* not below 0: negative values are clamped */
    .equ    PENDING, 28  /* BACK until that block has begun, then 0 */
    .equ    FRAME, 36

    .macro  for_taps op, by
    .irp    tap, r0, r1, r2, r3, r4, r5, r6, r8, r9
    \op     \tap, \tap, \by
    .endr
    .endm

    /* vrshl rounds half upwards; half away from zero needs negative values lowered by one where bits are shifted out */
    .macro  lower_negative value, shift
    vand    q4, \value, \shift
    vshr.s32 q4, q4, #31
    vqadd.s32 \value, \value, q4
    .endm

    .macro  multiply tap
    vldrb.s16 q2, [\tap], #8
    vldrb.s16 q3, [packed], #8
    vmullb.s16 q4, q2, q3
    vmullt.s16 q5, q2, q3
    vadd.i32 q0, q0, q4
    vadd.i32 q1, q1, q5
    .endm

    .macro  compare_clamped
    ldr     kept, [sp, #CLAMPED]
    cmp     kept, #0
    .endm

    /* Eight channels. The flags are those of compare_clamped. */
    .macro  block
    vldrw.u32 q0, [packed], #16
    vldrw.u32 q1, [packed], #16
    .irp    tap, r0, r1, r2, r3, r4, r5, r6
    multiply \tap
    .endr
    mov     kept, tap6
    mov     tap6, tap7
    multiply tap6
    mov     tap7, tap6
    mov     tap6, tap8
    multiply tap6
    mov     tap8, tap6
    vldrw.u32 q2, [packed], #16
    vqrdmulh.s32 q0, q0, q2
    vldrw.u32 q3, [packed], #16
    vqrdmulh.s32 q1, q1, q3
    vldrb.s32 q2, [packed], #4
    vldrb.s32 q3, [packed], #4
    bge     9f
    lower_negative q0, q2
    lower_negative q1, q3
9:  vrshl.s32 q0, q0, q2
    vrshl.s32 q1, q1, q3
    vqmovnb.s32 q4, q0
    vqmovnt.s32 q4, q1
    vqadd.s16 q4, q4, zero
    vmax.s16 q4, q4, q6
    vmin.s16 q4, q4, q7
    mov     tap6, out
    vstrb.16 q4, [tap6], #8
    mov     out, tap6
    mov     tap6, kept
    .endm

tinyc1_depthwise_run_s8:
    push    {r4-r11, lr}
    vpush   {d8-d15}
    sub     sp, #FRAME
    mov     out, r2
    ldrd    r3, r4, [r0]          /* r4: channels */
    str     r3, [sp, #PACKED]
    ldrd    zero, r6, [r0, #8]
    ldr     r7, [r0, #16]
    vdup.16 q6, r6
    vdup.16 q7, r7
    sub     r6, zero
    str     r6, [sp, #CLAMPED]
    lsr     r5, r4, #3
    str     r5, [sp, #BLOCKS]
    rsb     r5, r4, #0
    and     r5, r5, #7
    str     r5, [sp, #BACK]
    ldrd    r5, r6, [r1, #36]
    str     r5, [sp, #PIXELS]
    sub     r6, r4
    str     r6, [sp, #IN_STEP]
    ldr     r6, [r1, #44]
    sub     r6, r4
    str     r6, [sp, #OUT_STEP]
    ldrd    tap7, tap8, [r1, #28]
    ldmia   r1, {r0-r6}
1:  ldr     packed, [sp, #PACKED]
    ldr     lr, [sp, #BACK]
    str     lr, [sp, #PENDING]
    ldr     lr, [sp, #BLOCKS]
    compare_clamped
    dls     lr, lr
2:  block
    le      lr, 2b
    ldr     lr, [sp, #PENDING]
    cmp     lr, #0
    beq     3f
    for_taps sub, lr
    sub     out, lr
    mov     lr, #0
    str     lr, [sp, #PENDING]
    mov     lr, #1
    compare_clamped
    b       2b
3:  ldr     lr, [sp, #IN_STEP]
    cmp     lr, #0
    beq     4f
    for_taps add, lr
4:  ldr     lr, [sp, #OUT_STEP]
    add     out, lr
    ldr     lr, [sp, #PIXELS]
    subs    lr, #1
    str     lr, [sp, #PIXELS]
    bne     1b
    add     sp, #FRAME
    vpop    {d8-d15}
    pop     {r4-r11, pc}
    .size tinyc1_depthwise_run_s8, . - tinyc1_depthwise_run_s8
