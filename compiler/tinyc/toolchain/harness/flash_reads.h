/* SPDX-License-Identifier: Apache-2.0 */
/* What a flash behind a small cache reads: fully associative, least recently used first out. The number of wait states
 * does not matter here; each read that is counted costs them. */
#ifndef TINYC_FLASH_READS_H
#define TINYC_FLASH_READS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { FLASH_NONE = UINT32_MAX };

/* A cache of `lines` lines (at least one: the flash's own read register). */
typedef struct {
    uint32_t lines, used;
    uint32_t newest, oldest;      /* slots */
    uint32_t *newer, *older;      /* of each slot */
    uint32_t *line_of, *slot_of;  /* line in each slot, slot of each line */
} flash_cache;

typedef struct {
    uint64_t origin, bytes;
    uint64_t line_bytes;
    flash_cache instructions, data;
    uint64_t last_line; /* that instructions were fetched from */
} flash_memory;

static bool flash_cache_open(flash_cache *cache, uint64_t lines, uint64_t flash_lines)
{
    uint64_t i;
    cache->lines = lines == 0 ? 1 : (uint32_t)lines;
    cache->used = 0;
    cache->newest = cache->oldest = FLASH_NONE;
    cache->newer = calloc(cache->lines, sizeof *cache->newer);
    cache->older = calloc(cache->lines, sizeof *cache->older);
    cache->line_of = calloc(cache->lines, sizeof *cache->line_of);
    cache->slot_of = malloc(flash_lines * sizeof *cache->slot_of);
    if (cache->newer == NULL || cache->older == NULL || cache->line_of == NULL || cache->slot_of == NULL) {
        return false;
    }
    for (i = 0; i < flash_lines; i++) {
        cache->slot_of[i] = FLASH_NONE;
    }
    return true;
}

static void flash_cache_unlink(flash_cache *cache, uint32_t slot)
{
    const uint32_t newer = cache->newer[slot], older = cache->older[slot];
    *(newer == FLASH_NONE ? &cache->newest : &cache->older[newer]) = older;
    *(older == FLASH_NONE ? &cache->oldest : &cache->newer[older]) = newer;
}

/* Whether the line had to be read; it is the newest afterwards. */
static bool flash_cache_read(flash_cache *cache, uint32_t line)
{
    uint32_t slot = cache->slot_of[line];
    const bool miss = slot == FLASH_NONE;
    if (slot != FLASH_NONE && slot == cache->newest) {
        return false;
    }
    if (!miss) {
        flash_cache_unlink(cache, slot);
    } else if (cache->used < cache->lines) {
        slot = cache->used++;
    } else {
        slot = cache->oldest;
        flash_cache_unlink(cache, slot);
        cache->slot_of[cache->line_of[slot]] = FLASH_NONE;
    }
    cache->line_of[slot] = line;
    cache->slot_of[line] = slot;
    cache->newer[slot] = FLASH_NONE;
    cache->older[slot] = cache->newest;
    *(cache->newest == FLASH_NONE ? &cache->oldest : &cache->newer[cache->newest]) = slot;
    cache->newest = slot;
    return miss;
}

static bool flash_open(flash_memory *flash, uint64_t instruction_lines, uint64_t data_lines)
{
    const uint64_t lines = (flash->bytes + flash->line_bytes - 1) / flash->line_bytes;
    flash->last_line = UINT64_MAX;
    return flash_cache_open(&flash->instructions, instruction_lines, lines)
           && flash_cache_open(&flash->data, data_lines, lines);
}

static bool flash_holds(const flash_memory *flash, uint64_t address)
{
    return address >= flash->origin && address - flash->origin < flash->bytes;
}

/* Fetches code from `from` to `to`; adds the lines that were read to *jumped where the line before was not fetched
 * just before, else to *followed. */
static void flash_fetch(flash_memory *flash, uint64_t from, uint64_t to, uint64_t *jumped, uint64_t *followed)
{
    uint64_t line, last;
    if (!flash_holds(flash, from)) {
        return;
    }
    last = (to - 1 - flash->origin) / flash->line_bytes;
    for (line = (from - flash->origin) / flash->line_bytes; line <= last; line++) {
        if (line != flash->last_line && flash_cache_read(&flash->instructions, (uint32_t)line)) {
            ++*(line == flash->last_line + 1 ? followed : jumped);
        }
        flash->last_line = line;
    }
}

/* How many lines an access reads. */
static uint64_t flash_load(flash_memory *flash, uint64_t address, uint64_t bytes)
{
    uint64_t line, last, read = 0;
    if (!flash_holds(flash, address)) {
        return 0;
    }
    last = (address + bytes - 1 - flash->origin) / flash->line_bytes;
    for (line = (address - flash->origin) / flash->line_bytes; line <= last; line++) {
        read += flash_cache_read(&flash->data, (uint32_t)line);
    }
    return read;
}

#endif
