/* SPDX-License-Identifier: Apache-2.0 */
/* A QEMU TCG plugin that counts what a function executes.
 *
 * Arguments: out=FILE (result), entry=ADDRESS (of the function), from=ADDRESS,to=ADDRESS (the caller's code, whose
 * execution means that the function has returned), marks=FILE (lines "INDEX ADDRESS STEP", the step for shadow.h),
 * memory=1 (count loads and stores), blocks=1 (count how often each run of instructions is executed), unaligned=1
 * (report accesses that are not aligned to their size), flash=ADDRESS,flash_bytes=N,line_bytes=N,
 * instruction_lines=N,data_lines=N (count what a flash reads, see flash_reads.h), shadow=PREFIX,arena=ADDRESS (check
 * all accesses to the arena: PREFIX-plan.txt and PREFIX.txt, see shadow.h).
 *
 * Instructions go to the mark that was passed last; mark 0 is the function's entry. Conditional instructions count
 * whether or not their condition held, as they take a cycle either way.
 *
 * QEMU's plugin interface is declared here as far as it is used, so no header package is needed. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash_reads.h"
#include "shadow.h"

#ifndef PLUGIN_API
#define PLUGIN_API 1
#endif

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CALLBACK_NO_REGISTERS = 0 };
enum { MEMORY_READ_WRITE = 3 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*callback)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*callback)(plugin_id, void *), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*callback)(unsigned, void *),
                                            int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                      void (*callback)(unsigned, uint32_t, uint64_t, void *), int flags,
                                      int direction, void *data);
unsigned qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);

EXPORT int qemu_plugin_version = PLUGIN_API;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

typedef struct {
    uint64_t address;
    uint32_t index;
    uint32_t step;
} mark;

typedef struct {
    uint64_t instructions;
    uint64_t loads;
    uint64_t stores;
    uint64_t flash_jumped;   /* lines of code that the flash read after a jump */
    uint64_t flash_followed; /* and after the line before */
    uint64_t flash_data;     /* lines of constants */
} tally;

/* How often a run of instructions was executed under a mark, and left for another place than what follows it. */
typedef struct {
    uint64_t entered;
    uint64_t left;
} visits;

/* A run of instructions in a translation block: what to do when its first one executes. */
typedef struct segment {
    enum { CONTINUE, ENTER, PASS_MARK, LEAVE } action;
    uint32_t mark;
    uint32_t step;
    uint32_t instructions;
    uint64_t start, end; /* addresses */
    visits *visits;      /* per mark, with blocks=1 */
    struct segment *next;
} segment;

static FILE *out;
static uint64_t entry, caller_from, caller_to, arena;
static bool count_memory, check_alignment, count_blocks;
static flash_memory flash;
static uint64_t flash_instruction_lines, flash_data_lines;
static char *shadow_prefix;
static mark *marks;
static size_t mark_count;

static bool active;
static uint32_t current;
static tally *tallies; /* per mark */
static segment *segments;
static segment *last_segment; /* executed within the function */
static uint32_t last_mark;    /* under which it was */
static uint64_t *calls; /* instructions of each call */
static size_t call_count, call_capacity;
static uint64_t unaligned_count, unaligned_pc, unaligned_address;

static void *allocate(void *old, size_t count, size_t size)
{
    void *memory = realloc(old, count * size);
    if (memory == NULL) {
        fprintf(stderr, "tinyc plugin: out of memory\n");
        exit(1);
    }
    return memory;
}

static void begin_call(void)
{
    if (call_count == call_capacity) {
        call_capacity = call_capacity == 0 ? 16 : 2 * call_capacity;
        calls = allocate(calls, call_capacity, sizeof *calls);
    }
    calls[call_count++] = 0;
    active = true;
    current = 0;
    last_segment = NULL;
    if (shadow_prefix != NULL) {
        shadow_begin();
    }
}

/* Counts that control goes to a segment, NULL for the caller. */
static void follow(segment *s)
{
    if (last_segment != NULL && (s == NULL || last_segment->end != s->start)) {
        last_segment->visits[last_mark].left++;
    }
    if (s != NULL) {
        s->visits[current].entered++;
    }
    last_segment = s;
    last_mark = current;
}

static void on_segment(unsigned cpu, void *data)
{
    segment *const s = data;
    (void)cpu;
    switch (s->action) {
    case ENTER:
        begin_call();
        break;
    case LEAVE:
        if (active && count_blocks) {
            follow(NULL);
        }
        active = false;
        break;
    case PASS_MARK:
        if (active) {
            current = s->mark;
            shadow.step = s->step;
        }
        break;
    case CONTINUE:
        break;
    }
    if (active) {
        tallies[current].instructions += s->instructions;
        calls[call_count - 1] += s->instructions;
        if (count_blocks) {
            follow(s);
        }
        if (flash.bytes != 0) {
            flash_fetch(&flash, s->start, s->end, &tallies[current].flash_jumped, &tallies[current].flash_followed);
        }
    }
}

static void on_access(unsigned cpu, uint32_t info, uint64_t address, void *data)
{
    (void)cpu;
    if (!active) {
        return;
    }
    shadow_access(address, UINT64_C(1) << qemu_plugin_mem_size_shift(info), qemu_plugin_mem_is_store(info));
    if (check_alignment && (address & ((UINT64_C(1) << qemu_plugin_mem_size_shift(info)) - 1)) != 0) {
        if (unaligned_count++ == 0) {
            unaligned_pc = (uint64_t)(uintptr_t)data;
            unaligned_address = address;
        }
    }
    if (flash.bytes != 0) {
        tallies[current].flash_data += flash_load(&flash, address, UINT64_C(1) << qemu_plugin_mem_size_shift(info));
    }
    if (!count_memory) {
        return;
    }
    if (qemu_plugin_mem_is_store(info)) {
        tallies[current].stores++;
    } else {
        tallies[current].loads++;
    }
}

static segment *new_segment(uint64_t address, segment *previous)
{
    segment s = {CONTINUE, 0, 0, 0, address, address, NULL, NULL};
    size_t i;
    if (address == entry) {
        s.action = ENTER;
    } else if (address >= caller_from && address < caller_to) {
        s.action = LEAVE;
    }
    for (i = 0; i < mark_count && s.action == CONTINUE; i++) {
        if (marks[i].address == address) {
            s.action = PASS_MARK;
            s.mark = marks[i].index;
            s.step = marks[i].step;
        }
    }
    if (previous != NULL && (s.action == CONTINUE || (s.action == LEAVE && previous->action == LEAVE))) {
        return previous;
    }
    s.next = segments;
    if (count_blocks) {
        s.visits = calloc(mark_count + 1, sizeof *s.visits);
        if (s.visits == NULL) {
            fprintf(stderr, "tinyc plugin: out of memory\n");
            exit(1);
        }
    }
    segments = allocate(NULL, 1, sizeof s);
    *segments = s;
    return segments;
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *tb)
{
    const size_t count = qemu_plugin_tb_n_insns(tb);
    segment *s = NULL;
    size_t i;
    (void)id;
    for (i = 0; i < count; i++) {
        struct qemu_plugin_insn *const insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        segment *const next = new_segment(address, s);
        if (next != s) {
            s = next;
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_segment, CALLBACK_NO_REGISTERS, s);
        }
        s->instructions++;
        s->end = address + qemu_plugin_insn_size(insn);
        if (count_memory || check_alignment || flash.bytes != 0 || shadow_prefix != NULL) {
            qemu_plugin_register_vcpu_mem_cb(insn, on_access, CALLBACK_NO_REGISTERS, MEMORY_READ_WRITE,
                                             (void *)(uintptr_t)address);
        }
    }
}

/* PREFIX and the rest of a file's name. */
static const char *shadow_file(const char *rest)
{
    static char *name;
    name = allocate(name, strlen(shadow_prefix) + strlen(rest) + 1, 1);
    strcpy(name, shadow_prefix);
    return strcat(name, rest);
}

static void write_result(plugin_id id, void *data)
{
    const segment *s;
    size_t i;
    (void)id;
    (void)data;
    for (i = 0; i < call_count; i++) {
        fprintf(out, "call %" PRIu64 "\n", calls[i]);
    }
    for (i = 0; i <= mark_count; i++) {
        const tally *const t = &tallies[i];
        fprintf(out, "mark %zu %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i,
                t->instructions, t->loads, t->stores, t->flash_jumped, t->flash_followed, t->flash_data);
    }
    for (s = segments; s != NULL && count_blocks; s = s->next) {
        for (i = 0; i <= mark_count; i++) {
            if (s->visits[i].entered != 0) {
                fprintf(out, "block %" PRIu64 " %" PRIu64 " %zu %" PRIu64 " %" PRIu64 "\n", s->start, s->end, i,
                        s->visits[i].entered, s->visits[i].left);
            }
        }
    }
    fprintf(out, "unaligned %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", unaligned_count, unaligned_pc,
            unaligned_address);
    fclose(out);
    if (shadow_prefix != NULL) {
        shadow_report(shadow_file(".txt"));
    }
}

static bool read_marks(const char *name)
{
    FILE *const file = fopen(name, "r");
    mark m;
    if (file == NULL) {
        return false;
    }
    while (fscanf(file, "%" SCNu32 " %" SCNu64 " %" SCNu32, &m.index, &m.address, &m.step) == 3) {
        marks = allocate(marks, mark_count + 1, sizeof *marks);
        marks[mark_count++] = m;
    }
    fclose(file);
    return true;
}

static bool read_argument(const char *argument)
{
    const char *const equals = strchr(argument, '=');
    const char *const value = equals == NULL ? "" : equals + 1;
    const size_t length = equals == NULL ? strlen(argument) : (size_t)(equals - argument);
    const struct {
        const char *name;
        uint64_t *number;
        bool *flag;
    } known[] = {
        {"entry", &entry, NULL},         {"from", &caller_from, NULL},         {"to", &caller_to, NULL},
        {"arena", &arena, NULL},         {"flash", &flash.origin, NULL},       {"flash_bytes", &flash.bytes, NULL},
        {"line_bytes", &flash.line_bytes, NULL},
        {"instruction_lines", &flash_instruction_lines, NULL},
        {"data_lines", &flash_data_lines, NULL},
        {"memory", NULL, &count_memory}, {"unaligned", NULL, &check_alignment}, {"blocks", NULL, &count_blocks},
    };
    size_t i;
    if (length == 3 && strncmp(argument, "out", length) == 0) {
        out = fopen(value, "w");
        return out != NULL;
    }
    if (length == 5 && strncmp(argument, "marks", length) == 0) {
        return read_marks(value);
    }
    if (length == 6 && strncmp(argument, "shadow", length) == 0) {
        shadow_prefix = allocate(NULL, strlen(value) + 1, 1);
        strcpy(shadow_prefix, value);
        return true;
    }
    for (i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == length && strncmp(argument, known[i].name, length) == 0) {
            const uint64_t number = strtoull(value, NULL, 0);
            if (known[i].number != NULL) {
                *known[i].number = number;
            } else {
                *known[i].flag = number != 0;
            }
            return true;
        }
    }
    return false;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    int i;
    (void)info;
    for (i = 0; i < argc; i++) {
        /* QEMU hands on bare words as word=on. */
        if (!read_argument(argv[i])) {
            fprintf(stderr, "tinyc plugin: cannot use argument %s\n", argv[i]);
            return 1;
        }
    }
    if (out == NULL) {
        return 0; /* only to see whether it loads */
    }
    tallies = calloc(mark_count + 1, sizeof *tallies);
    if (tallies == NULL) {
        return 1;
    }
    if (flash.bytes != 0 && (flash.line_bytes == 0 || !flash_open(&flash, flash_instruction_lines, flash_data_lines))) {
        fprintf(stderr, "tinyc plugin: cannot model the flash\n");
        return 1;
    }
    if (shadow_prefix != NULL && !shadow_load(shadow_file("-plan.txt"), arena)) {
        fprintf(stderr, "tinyc plugin: cannot use %s\n", shadow_file("-plan.txt"));
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, write_result, NULL);
    return 0;
}
