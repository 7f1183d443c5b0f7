/* SPDX-License-Identifier: Apache-2.0 */
/* Macros for .S files: Thumb-1 pushes and pops low registers only. */

    /* The registers that a function preserves, and lr. r4 to r7 are overwritten. */
    .macro push_registers
    push    {r4-r7, lr}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {r4-r7}
    .endm

    /* And return. */
    .macro pop_registers
    pop     {r4-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {r4-r7, pc}
    .endm
