/* SPDX-License-Identifier: Apache-2.0 */
/* The harness' main loop: for each case in cases.bin, fill the inputs, run the model, check that it stayed inside
 * its buffers, append the outputs to outputs.bin. What else is to be known goes to report.bin. */
#include "harness.h"

#include <stddef.h>

#define GUARD_FILL 0x5Au
#define ARENA_FILL 0xA5u

/* Exit codes; tinyc/toolchain/run.py knows them. */
enum { EXIT_OK = 0, EXIT_IO = 2 };

/* report.bin; tinyc/toolchain/run.py reads it. */
typedef struct {
    uint32_t magic;
    uint32_t cases_done;
    int32_t status;         /* of the last run */
    uint32_t stack_bytes;   /* 0 where not measured, UINT32_MAX: overflow */
    uint32_t overrun;       /* 0, or 1 + 2 * buffer + (1 if behind it) */
    uint32_t input_written; /* 0, or 1 + input */
    uint32_t ticks;
} harness_report;

uint32_t harness_stack_bytes;
uint32_t harness_ticks;

static void fill(unsigned char *data, uint32_t bytes, unsigned char value)
{
    volatile unsigned char *byte = data;
    uint32_t i;
    for (i = 0; i < bytes; i++) {
        byte[i] = value;
    }
}

static int intact(const unsigned char *guard)
{
    uint32_t i;
    for (i = 0; i < HARNESS_GUARD_BYTES; i++) {
        if (guard[i] != GUARD_FILL) {
            return 0;
        }
    }
    return 1;
}

static uint32_t find_overrun(void)
{
    uint32_t i;
    for (i = 0; i < harness_guard_count; i++) {
        if (harness_guards[i].front == NULL) {
            continue;
        }
        if (!intact(harness_guards[i].front)) {
            return 1 + 2 * i;
        }
        if (!intact(harness_guards[i].back)) {
            return 2 + 2 * i;
        }
    }
    return 0;
}

static uint32_t hash(const harness_buffer *buffer)
{
    uint32_t value = 2166136261u;
    uint32_t i;
    for (i = 0; i < buffer->bytes; i++) {
        value = (value ^ buffer->data[i]) * 16777619u;
    }
    return value;
}

static uint32_t hash_inputs(uint32_t index)
{
    return harness_inputs_are_callers ? hash(&harness_inputs[index]) : 0;
}

static void require(int ok, const char *message)
{
    if (!ok) {
        harness_print(message);
        harness_exit(EXIT_IO);
    }
}

#define MAX_HASHED_INPUTS 64u

static void run_case(harness_report *report, int in, int out)
{
    static uint32_t before[MAX_HASHED_INPUTS];
    uint32_t i;
    fill(harness_arena.data, harness_arena.bytes, ARENA_FILL);
    for (i = 0; i < harness_output_count; i++) {
        fill(harness_outputs[i].data, harness_outputs[i].bytes, ARENA_FILL);
    }
    for (i = 0; i < harness_input_count; i++) {
        require(harness_read(in, harness_inputs[i].data, harness_inputs[i].bytes) == 0,
                "harness: cases.bin is too short\n");
    }
    for (i = 0; i < harness_input_count && i < MAX_HASHED_INPUTS; i++) {
        before[i] = hash_inputs(i);
    }
    report->status = (int32_t)harness_call();
    report->overrun = find_overrun();
    for (i = 0; i < harness_input_count && i < MAX_HASHED_INPUTS; i++) {
        if (before[i] != hash_inputs(i)) {
            report->input_written = 1 + i;
        }
    }
    for (i = 0; i < harness_output_count; i++) {
        require(harness_write(out, harness_outputs[i].data, harness_outputs[i].bytes) == 0,
                "harness: outputs.bin cannot be written\n");
    }
}

int harness_main(void)
{
    harness_report report = {0x54434E59u, 0, 0, 0, 0, 0, 0};
    uint32_t cases = 0;
    uint32_t i;
    const int in = harness_open("cases.bin", 0);
    const int out = harness_open("outputs.bin", 1);
    int file;
    require(in >= 0 && out >= 0 && harness_read(in, &cases, sizeof cases) == 0,
            "harness: cases.bin or outputs.bin cannot be opened\n");
    for (i = 0; i < harness_guard_count; i++) {
        if (harness_guards[i].front != NULL) {
            fill(harness_guards[i].front, HARNESS_GUARD_BYTES, GUARD_FILL);
            fill(harness_guards[i].back, HARNESS_GUARD_BYTES, GUARD_FILL);
        }
    }
    harness_start();
    while (report.cases_done < cases && report.status == 0 && report.overrun == 0 && report.input_written == 0) {
        run_case(&report, in, out);
        report.cases_done++;
    }
    harness_close(in);
    harness_close(out);
    report.stack_bytes = harness_stack_bytes;
    report.ticks = harness_ticks;
    file = harness_open("report.bin", 1);
    require(file >= 0 && harness_write(file, &report, sizeof report) == 0,
            "harness: report.bin cannot be written\n");
    harness_close(file);
    return EXIT_OK;
}
