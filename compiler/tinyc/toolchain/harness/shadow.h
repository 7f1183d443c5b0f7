/* SPDX-License-Identifier: Apache-2.0 */
/* The shadow of an arena: whose content each byte holds. Included by the native harness and by the QEMU plugin.
 *
 * In a build for this check every buffer of the plan has addresses of its own: buffer k is at k * stride + its offset
 * from the beginning of the arena. So an access tells which buffer it means, also where the plan lets buffers share
 * bytes, and the shadow, which is as long as the planned arena, tells whether that buffer still owns the byte.
 *
 * The plan is a text file: stride, arena bytes, buffers, steps; for each buffer offset and bytes; for each step, from
 * the copies of inputs before the first layer to those of outputs behind the last, how many buffers it may access,
 * and each with its rights. */
#ifndef SHADOW_H
#define SHADOW_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHADOW_READ = 1, SHADOW_WRITE = 2 };

/* What can be wrong with an access; tinyc/toolchain/shadow.py knows them. */
enum { SHADOW_OVERWRITTEN = 1, SHADOW_UNWRITTEN = 2, SHADOW_OUTSIDE = 3, SHADOW_UNDECLARED = 4 };

typedef struct {
    uint32_t owner; /* 0, or 1 + the buffer that the byte's content belongs to */
    uint32_t step;  /* in which it was written */
} shadow_byte;

static struct {
    uint64_t base; /* of the arena */
    uint32_t stride, bytes, buffers, steps;
    uint32_t *offset, *size; /* per buffer */
    unsigned char *rights;   /* [steps][buffers] */
    shadow_byte *shadow;     /* [bytes] */
    uint32_t step;
    bool active;
    uint64_t read, written, violations;
    uint32_t kind, at_step, buffer, byte, is_store, owner, owner_step; /* of the first violation */
} shadow;

static inline bool shadow_load(const char *name, uint64_t base)
{
    FILE *const file = fopen(name, "r");
    uint32_t i, count, buffer, rights;
    if (file == NULL || fscanf(file, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32, &shadow.stride, &shadow.bytes,
                               &shadow.buffers, &shadow.steps) != 4) {
        return false;
    }
    shadow.base = base;
    shadow.offset = calloc(shadow.buffers + 1, sizeof *shadow.offset);
    shadow.size = calloc(shadow.buffers + 1, sizeof *shadow.size);
    shadow.rights = calloc((size_t)shadow.steps * shadow.buffers + 1, 1);
    shadow.shadow = calloc(shadow.bytes + 1, sizeof *shadow.shadow);
    if (shadow.offset == NULL || shadow.size == NULL || shadow.rights == NULL || shadow.shadow == NULL) {
        return false;
    }
    for (i = 0; i < shadow.buffers; i++) {
        if (fscanf(file, "%" SCNu32 " %" SCNu32, &shadow.offset[i], &shadow.size[i]) != 2 ||
            shadow.offset[i] > shadow.bytes || shadow.size[i] > shadow.bytes - shadow.offset[i]) {
            return false;
        }
    }
    for (i = 0; i < shadow.steps; i++) {
        if (fscanf(file, "%" SCNu32, &count) != 1) {
            return false;
        }
        while (count-- > 0) {
            if (fscanf(file, "%" SCNu32 " %" SCNu32, &buffer, &rights) != 2 || buffer >= shadow.buffers) {
                return false;
            }
            shadow.rights[(size_t)i * shadow.buffers + buffer] = (unsigned char)rights;
        }
    }
    fclose(file);
    return true;
}

/* A run begins: nothing is in the arena. */
static inline void shadow_begin(void)
{
    memset(shadow.shadow, 0, shadow.bytes * sizeof *shadow.shadow);
    shadow.step = 0;
    shadow.active = true;
}

static inline void shadow_end(void)
{
    shadow.active = false;
}

static inline void shadow_violation(uint32_t kind, uint32_t buffer, uint32_t byte, bool store, shadow_byte found)
{
    if (shadow.violations++ == 0) {
        shadow.kind = kind;
        shadow.at_step = shadow.step;
        shadow.buffer = buffer;
        shadow.byte = byte;
        shadow.is_store = store;
        shadow.owner = found.owner;
        shadow.owner_step = found.step;
    }
}

static inline void shadow_access(uint64_t address, uint64_t size, bool store)
{
    const shadow_byte none = {0, 0};
    for (; shadow.active && size > 0; address++, size--) {
        const uint64_t at = address - shadow.base;
        uint32_t buffer, place;
        shadow_byte *byte;
        unsigned char rights;
        if (address < shadow.base || at >= (uint64_t)shadow.stride * shadow.buffers) {
            continue;
        }
        buffer = (uint32_t)(at / shadow.stride);
        place = (uint32_t)(at % shadow.stride);
        if (place < shadow.offset[buffer] || place - shadow.offset[buffer] >= shadow.size[buffer]) {
            shadow_violation(SHADOW_OUTSIDE, buffer, place - shadow.offset[buffer], store, none);
            continue;
        }
        rights = shadow.step < shadow.steps ? shadow.rights[(size_t)shadow.step * shadow.buffers + buffer] : 0;
        byte = &shadow.shadow[place];
        if ((rights & (store ? SHADOW_WRITE : SHADOW_READ)) == 0) {
            shadow_violation(SHADOW_UNDECLARED, buffer, place - shadow.offset[buffer], store, *byte);
        }
        if (store) {
            shadow.written++;
            byte->owner = buffer + 1;
            byte->step = shadow.step;
        } else {
            shadow.read++;
            if (byte->owner != buffer + 1) {
                shadow_violation(byte->owner == 0 ? SHADOW_UNWRITTEN : SHADOW_OVERWRITTEN, buffer,
                                 place - shadow.offset[buffer], false, *byte);
            }
        }
    }
}

static inline void shadow_report(const char *name)
{
    FILE *const file = fopen(name, "w");
    if (file != NULL) {
        fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64, shadow.read, shadow.written, shadow.violations);
        fprintf(file, " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRId32 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
                shadow.kind, shadow.at_step, shadow.buffer, (int32_t)shadow.byte, shadow.is_store, shadow.owner,
                shadow.owner_step);
        fclose(file);
    }
}

#endif
