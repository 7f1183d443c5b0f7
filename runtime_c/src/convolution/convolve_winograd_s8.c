/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_winograd_dsp.h"

#include <stdbool.h>
#include <string.h>

/* The first result of a tile. */
typedef struct {
    int32_t y;
    int32_t x;
} tile;

static tile following(const tinyc_winograd_image *image, tile at)
{
    const tile right = {at.y, at.x + 2};
    const tile below = {at.y + 2, 0};
    return right.x < image->out_width ? right : below;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* 4x4 pixels, some of which lie outside the image. */
static void copy_patch(const tinyc_winograd_image *image, const int8_t *in, int32_t y, int32_t x, int8_t *patch)
{
    const int32_t channels = image->channels;
    const int32_t first = x > 0 ? x : 0;
    const int32_t count = smaller(x + 4, image->width) - first;
    (void)memset(patch, image->padding, (size_t)(16 * channels));
    for (int32_t row = y > 0 ? y : 0; count > 0 && row < smaller(y + 4, image->height); ++row) {
        int8_t *const to = patch + (4 * (row - y) + first - x) * channels;
        (void)memcpy(to, in + (row * image->width + first) * channels, (size_t)(count * channels));
    }
}

static void transform(const tinyc_winograd_image *image, const int8_t *in, tile at, int16_t *values, int8_t *patch)
{
    const int32_t y = at.y - image->pad_y;
    const int32_t x = at.x - image->pad_x;
    if (y >= 0 && y + 4 <= image->height && x >= 0 && x + 4 <= image->width) {
        const int8_t *const first = in + (y * image->width + x) * image->channels;
        tinyc_winograd_values_dsp(values, first, image->channels, image->width * image->channels);
    } else {
        copy_patch(image, in, y, x, patch);
        tinyc_winograd_values_dsp(values, patch, image->channels, 4 * image->channels);
    }
}

static bool is_whole(const tinyc_winograd_image *image, tile at)
{
    return at.y + 2 <= image->out_height && at.x + 2 <= image->out_width;
}

static int8_t *result(const tinyc_winograd_image *image, int8_t *out, tile at)
{
    return out + (at.y * image->out_width + at.x) * image->out_channels;
}

/* What the result has of a tile. */
static void copy_results(const tinyc_winograd_image *image, const int8_t *from, tile at, int8_t *out)
{
    const int32_t channels = image->out_channels;
    const int32_t bytes = smaller(2, image->out_width - at.x) * channels;
    for (int32_t row = 0; row < smaller(2, image->out_height - at.y); ++row) {
        int8_t *const to = result(image, out, at) + row * image->out_width * channels;
        (void)memcpy(to, from + 2 * row * channels, (size_t)bytes);
    }
}

TINYC_FN(convolve_winograd_s8)
void tinyc_convolve_winograd_s8(const tinyc_paired_filters *filters, const tinyc_winograd_image *image, const int8_t *in,
    int8_t *out, int16_t *scratch)
{
    const int32_t channels = image->out_channels;
    int8_t *const edge = (int8_t *)(scratch + 64 * filters->steps); /* a patch, then two tiles of results */
    tile next = {0, 0};
    while (next.y < image->out_height) {
        tile at[2] = {next, following(image, next)};
        next = following(image, at[1]);
        if (at[1].y >= image->out_height) {
            at[1] = at[0]; /* a single last tile is computed twice */
        }
        transform(image, in, at[0], scratch, edge);
        transform(image, in, at[1], scratch + 2, edge);
        if (is_whole(image, at[0]) && is_whole(image, at[1])) {
            tinyc_winograd_tiles_dsp(filters, scratch, result(image, out, at[0]), result(image, out, at[1]), channels,
                image->out_width * channels);
        } else {
            tinyc_winograd_tiles_dsp(filters, scratch, edge, edge + 4 * channels, channels, 2 * channels);
            copy_results(image, edge, at[0], out);
            copy_results(image, edge + 4 * channels, at[1], out);
        }
    }
}
