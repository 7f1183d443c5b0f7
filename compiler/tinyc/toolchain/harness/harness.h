/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the test harness know of each other: the generated glue (which knows the model),
 * the main loop, and the input/output of the machine it runs on. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdint.h>

typedef struct {
    unsigned char *data;
    uint32_t bytes;
} harness_buffer;

/* Bytes that nobody may write: in front of and behind each buffer that the model gets. */
#define HARNESS_GUARD_BYTES 16u

typedef struct {
    unsigned char *front; /* HARNESS_GUARD_BYTES each; both NULL where sanitizers stand guard */
    unsigned char *back;
} harness_guard;

/* Generated glue. The arena is the guard list's first buffer, then inputs, then outputs. */
extern const harness_buffer harness_arena;
extern const harness_buffer harness_inputs[];
extern const harness_buffer harness_outputs[];
extern const harness_guard harness_guards[];
extern const uint32_t harness_input_count;
extern const uint32_t harness_output_count;
extern const uint32_t harness_guard_count;
extern const uint32_t harness_inputs_are_callers; /* 0: they lie in the arena and may be overwritten */
void harness_start(void);                         /* once, before the first case */
int harness_call(void);                           /* one run of the model */

/* Measured by harness_call. */
extern uint32_t harness_stack_bytes; /* largest depth so far; UINT32_MAX: the whole stack was used */
extern uint32_t harness_ticks;       /* of the last call; see harness_clock */

/* Input and output. Handles are negative on error. */
int harness_open(const char *name, int write);
int harness_read(int handle, void *data, uint32_t bytes); /* 0 if all bytes came */
int harness_write(int handle, const void *data, uint32_t bytes);
void harness_close(int handle);
void harness_print(const char *text);
void harness_exit(int code);

int harness_main(void);

/* Native shadow runs (shadow_host.c): around each run of the model. */
void harness_shadow_begin(void);
void harness_shadow_end(void);

#ifdef HARNESS_BARE_METAL

#define HARNESS_PAINT 0xC5A35C3Au

extern uint32_t __stack_limit[]; /* linker script: lowest word that belongs to the stack */

/* SysTick (Arm) or retired instructions (RISC-V): a count of instructions under `-icount`. */
#if defined(__riscv)
static inline __attribute__((always_inline)) void harness_clock_start(void)
{
}
static inline __attribute__((always_inline)) uint32_t harness_clock(void)
{
    uint32_t count;
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop"
                     : "=r"(count)
                     :
                     : "memory");
    return count;
}
static inline __attribute__((always_inline)) uint32_t harness_clock_since(uint32_t start)
{
    return harness_clock() - start;
}
#else
#define HARNESS_SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define HARNESS_SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define HARNESS_SYST_CVR (*(volatile uint32_t *)0xE000E018u)
static inline __attribute__((always_inline)) void harness_clock_start(void)
{
    HARNESS_SYST_CSR = 0;
    HARNESS_SYST_RVR = 0xFFFFFFu;
    HARNESS_SYST_CVR = 0;
    HARNESS_SYST_CSR = 5; /* processor clock, no interrupt */
    while (HARNESS_SYST_CVR == 0) { /* the first tick loads the counter */
    }
    (void)HARNESS_SYST_CSR; /* clears the flag that says that it wrapped */
}
static inline __attribute__((always_inline)) uint32_t harness_clock(void)
{
    return HARNESS_SYST_CVR;
}
static inline __attribute__((always_inline)) uint32_t harness_clock_since(uint32_t start)
{
    const uint32_t now = HARNESS_SYST_CVR;
    return (HARNESS_SYST_CSR & 0x10000u) != 0 ? UINT32_MAX : start - now;
}
#endif

/* Fills the stack from its limit up to the caller's stack pointer. Nothing below that is in use, and it does not
 * move until the caller returns: all of this has to be inlined into the function that calls the model. */
static inline __attribute__((always_inline)) uint32_t *harness_paint_stack(void)
{
    uint32_t *sp;
    volatile uint32_t *word = __stack_limit;
#if defined(__riscv)
    __asm__ volatile("mv %0, sp" : "=r"(sp) : : "memory");
#else
    __asm__ volatile("mov %0, sp" : "=r"(sp) : : "memory");
#endif
    while (word < sp) {
        *word++ = HARNESS_PAINT;
    }
    return sp;
}

static inline __attribute__((always_inline)) void harness_measure_stack(const uint32_t *sp)
{
    const volatile uint32_t *word = __stack_limit;
    uint32_t bytes;
    if (*word != HARNESS_PAINT) {
        harness_stack_bytes = UINT32_MAX;
        return;
    }
    while (word < sp && *word == HARNESS_PAINT) {
        word++;
    }
    bytes = (uint32_t)((uintptr_t)sp - (uintptr_t)word);
    if (bytes > harness_stack_bytes) {
        harness_stack_bytes = bytes;
    }
}

#endif /* HARNESS_BARE_METAL */

#endif
