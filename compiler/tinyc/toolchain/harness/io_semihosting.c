/* SPDX-License-Identifier: Apache-2.0 */
/* Input and output of the harness on an emulated core: Arm's semihosting interface, which RISC-V shares. */
#include "harness.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_EXIT_EXTENDED = 0x20
};

enum { OPEN_READ_BINARY = 1, OPEN_WRITE_BINARY = 5 };

#define STOPPED_APPLICATION_EXIT 0x20026u

static int32_t semihost(uint32_t operation, const void *argument)
{
#if defined(__riscv)
    register uint32_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    /* The three instructions must be uncompressed and on one page. */
    __asm__ volatile(".balign 16\n"
                     ".option push\n"
                     ".option norvc\n"
                     "slli x0, x0, 0x1f\n"
                     "ebreak\n"
                     "srai x0, x0, 7\n"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return (int32_t)a0;
#else
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
#endif
}

static uint32_t length(const char *text)
{
    uint32_t n = 0;
    while (text[n] != '\0') {
        n++;
    }
    return n;
}

int harness_open(const char *name, int write)
{
    const uint32_t block[3] = {(uint32_t)name, write ? OPEN_WRITE_BINARY : OPEN_READ_BINARY, length(name)};
    return (int)semihost(SYS_OPEN, block);
}

/* READ and WRITE return how many bytes were left over. */
int harness_read(int handle, void *data, uint32_t bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)data, bytes};
    return bytes == 0 || semihost(SYS_READ, block) == 0 ? 0 : -1;
}

int harness_write(int handle, const void *data, uint32_t bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)data, bytes};
    return bytes == 0 || semihost(SYS_WRITE, block) == 0 ? 0 : -1;
}

void harness_close(int handle)
{
    const uint32_t block[1] = {(uint32_t)handle};
    (void)semihost(SYS_CLOSE, block);
}

void harness_print(const char *text)
{
    (void)semihost(SYS_WRITE0, text);
}

void harness_exit(int code)
{
    const uint32_t block[2] = {STOPPED_APPLICATION_EXIT, (uint32_t)code};
    (void)semihost(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}
