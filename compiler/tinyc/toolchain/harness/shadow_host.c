/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the shadow of each access that the model's code makes natively.
 *
 * The model is compiled with -fsanitize=thread, whose calls before each access to memory end here instead of in the
 * compiler's own library; the linker leads memcpy and its kin here, too. */
#include "harness.h"
#include "shadow.h"

void harness_shadow_mark(const char *label);

static void finish(void)
{
    shadow_report("shadow.txt");
}

void harness_shadow_begin(void)
{
    if (shadow.shadow == NULL) {
        if (!shadow_load("shadow-plan.txt", (uint64_t)(uintptr_t)harness_arena.data)) {
            harness_print("harness: shadow-plan.txt is not usable\n");
            harness_exit(2);
        }
        atexit(finish);
    }
    shadow_begin();
}

void harness_shadow_end(void)
{
    shadow_end();
}

/* A layer begins: the label ends with its number. */
void harness_shadow_mark(const char *label)
{
    shadow.step = 1 + (uint32_t)strtoul(strrchr(label, '_') + 1, NULL, 10);
}

#define ACCESS(name, bytes, store)      \
    void name(void *address);           \
    void name(void *address)            \
    {                                   \
        shadow_access((uint64_t)(uintptr_t)address, bytes, store); \
    }
#define ACCESSES(bytes)                                    \
    ACCESS(__tsan_read##bytes, bytes, false)               \
    ACCESS(__tsan_write##bytes, bytes, true)               \
    ACCESS(__tsan_unaligned_read##bytes, bytes, false)     \
    ACCESS(__tsan_unaligned_write##bytes, bytes, true)
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void *address, unsigned long bytes);
void __tsan_read_range(void *address, unsigned long bytes)
{
    shadow_access((uint64_t)(uintptr_t)address, bytes, false);
}

void __tsan_write_range(void *address, unsigned long bytes);
void __tsan_write_range(void *address, unsigned long bytes)
{
    shadow_access((uint64_t)(uintptr_t)address, bytes, true);
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void *__real_memcpy(void *to, const void *from, size_t bytes);
void *__real_memmove(void *to, const void *from, size_t bytes);
void *__real_memset(void *to, int value, size_t bytes);
void *__wrap_memcpy(void *to, const void *from, size_t bytes);
void *__wrap_memmove(void *to, const void *from, size_t bytes);
void *__wrap_memset(void *to, int value, size_t bytes);

/* Forwards, byte by byte, as memcpy may. */
void *__wrap_memcpy(void *to, const void *from, size_t bytes)
{
    size_t i;
    for (i = 0; shadow.active && i < bytes; i++) {
        shadow_access((uint64_t)(uintptr_t)from + i, 1, false);
        shadow_access((uint64_t)(uintptr_t)to + i, 1, true);
    }
    return __real_memcpy(to, from, bytes);
}

void *__wrap_memmove(void *to, const void *from, size_t bytes)
{
    shadow_access((uint64_t)(uintptr_t)from, bytes, false);
    shadow_access((uint64_t)(uintptr_t)to, bytes, true);
    return __real_memmove(to, from, bytes);
}

void *__wrap_memset(void *to, int value, size_t bytes)
{
    shadow_access((uint64_t)(uintptr_t)to, bytes, true);
    return __real_memset(to, value, bytes);
}
