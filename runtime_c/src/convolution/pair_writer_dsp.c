/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_pair_dsp.h"

/* Widens count values, a multiple of four, to the column. */
static void widen(tinyc_pair_writer *writer, const int8_t *source, int32_t count)
{
    const int16x2_t offsets = tinyc_dup_s16x2(writer->offset);
    int16_t *column = writer->column;
    for (; count > 0; count -= 4, source += 4, column += 8) {
        const int8x4_t word = tinyc_load_s8x4(source);
        const int16x2_t widened[2] = {__sxtab16(offsets, word), tinyc_sxtab16_ror8(offsets, word)};
        memcpy(column, widened, sizeof widened);
    }
    writer->column = column;
}

static void write_zeros(tinyc_pair_writer *writer, int32_t count)
{
    int16_t *column = writer->column;
    for (; count > 0; count -= 4, column += 8) {
        memset(column, 0, 4 * sizeof *column);
    }
    writer->column = column;
}

/* Copies by words where it can: the pieces are too short for memcpy. */
static void copy(int8_t *to, const int8_t *from, int32_t count)
{
    for (; count >= 4; count -= 4, to += 4, from += 4) {
        memcpy(to, from, 4);
    }
    for (; count > 0; --count) {
        *to++ = *from++;
    }
}

/* tinyc_pair_append of at most as many values as waiting has room for. */
static void append_piece(tinyc_pair_writer *writer, const int8_t *source, int32_t count)
{
    if (source != NULL) {
        copy(writer->waiting + writer->count, source, count);
    } else {
        memset(writer->waiting + writer->count, -writer->offset, (size_t)count);
    }
    writer->count += count;
    if (writer->count == (int32_t)sizeof writer->waiting) {
        widen(writer, writer->waiting, writer->count);
        writer->count = 0;
    }
}

TINYC_FN(pair_append)
void tinyc_pair_append(tinyc_pair_writer *writer, const int8_t *source, int32_t count)
{
    if (writer->count == 0) {
        const int32_t whole = count & ~3;
        if (source == NULL) {
            write_zeros(writer, whole);
        } else {
            widen(writer, source, whole);
            source += whole;
        }
        count -= whole;
    }
    while (count > 0) {
        const int32_t room = (int32_t)sizeof writer->waiting - writer->count;
        const int32_t piece = tinyc_min_s32(count, room);
        append_piece(writer, source, piece);
        source = source != NULL ? source + piece : NULL;
        count -= piece;
    }
}

TINYC_FN(pair_finish)
void tinyc_pair_finish(tinyc_pair_writer *writer)
{
    while ((writer->count & 3) != 0) {
        writer->waiting[writer->count++] = (int8_t)-writer->offset;
    }
    widen(writer, writer->waiting, writer->count);
    writer->count = 0;
}
