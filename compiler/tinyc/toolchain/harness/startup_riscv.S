# SPDX-License-Identifier: Apache-2.0
# Start-up for an emulated RISC-V core in machine mode. QEMU loads .data and clears .bss.
    .option arch, +zicsr
    .section .vectors, "ax"
    .globl Reset_Handler
    .type Reset_Handler, @function
Reset_Handler:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la tp, __tls_base
    la t0, trap
    csrw mtvec, t0
    call harness_main
    call harness_exit
1:  j 1b
    .size Reset_Handler, . - Reset_Handler

    .text
    .balign 4
    .type trap, @function
trap:
    la sp, __stack_top
    csrr a0, mepc
    csrr a1, mcause
    call harness_fault
1:  j 1b
    .size trap, . - trap
