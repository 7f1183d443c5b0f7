/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_3x3_s8.h"
#include "tinyc_requantize.h"
#include "tinyc_s8.h"

#define LANES 4

static void prepare_channel(tinyc_depthwise_channel *channel, const int8_t *filter, int32_t bias, int32_t multiplier,
    int32_t shift, int32_t zero_point)
{
    channel->multiplier = multiplier;
    channel->half = (2 * zero_point + 1) * ((int32_t)1 << (-shift - 1));
    channel->right = -shift;
    channel->twice_bias = 2 * bias;
    for (int32_t row = 0; row < TINYC_DEPTHWISE_LINES; ++row) {
        channel->taps[2 * row] = tinyc_pair(2 * filter[0], 2 * filter[1]);
        channel->taps[2 * row + 1] = tinyc_pair(2 * filter[1], 2 * filter[2]);
        filter += 3;
    }
    for (int32_t again = 0; again < 4; ++again) {
        channel->taps[6 + again] = channel->taps[again];
    }
}

static void limit(int8_t *results, const tinyc_depthwise_line *line, int32_t lowest, int32_t highest)
{
    for (int32_t i = 0; i < line->outputs; ++i) {
        for (int32_t lane = 0; lane < line->channels; ++lane) {
            results[lane] = (int8_t)tinyc_clamp_s32(results[lane], lowest, highest);
        }
        results += line->step;
    }
}

TINYC_FN(depthwise_3x3_s8)
void tinyc_depthwise_3x3_s8(const tinyc_depthwise_3x3_s8_params *params, const int8_t *input, const int8_t *filter,
    const int32_t *bias, const int32_t *multiplier, const int8_t *shift, int32_t *scratch, int8_t *output)
{
    const int32_t stride = params->stride;
    const int32_t groups = (stride == 1 ? (params->out.length + 1) / 2 : params->out.length) + 1;
    const int32_t count = tinyc_min_s32(params->in.length, 2 * groups - params->pad);
    const int limited = params->lowest > INT8_MIN || params->highest < INT8_MAX;
    tinyc_depthwise_widening widening = {
        .step = params->in.step, .pad = params->pad, .groups = groups, .zero_point = params->input_zero_point};
    tinyc_depthwise_line line = {.step = params->out.step, .outputs = params->out.length, .stride = stride,
        .plane = groups * TINYC_DEPTHWISE_LINES * (int32_t)sizeof *scratch};
    tinyc_depthwise_channel block[LANES];

    for (int32_t first = 0; first < params->channels; first += LANES) {
        line.channels = tinyc_min_s32(LANES, params->channels - first);
        for (int32_t lane = 0; lane < line.channels; ++lane) {
            const int32_t c = first + lane;
            prepare_channel(
                &block[lane], filter + 9 * c, bias[c], multiplier[c], shift[c], params->output_zero_point);
        }
        int32_t next = -params->pad_lines; /* the line to be widened next */
        int32_t slot = 0;                  /* and its place */
        for (int32_t y = 0; y < params->out.lines; ++y) {
            for (const int32_t end = y * stride - params->pad_lines + TINYC_DEPTHWISE_LINES; next < end; ++next) {
                const int inside = next >= 0 && next < params->in.lines;
                const int8_t *const source = input + first + (inside ? next * params->in.line_step : 0);
                widening.count = inside ? count : 0;
                if (line.channels == LANES) {
                    tinyc_depthwise_widen_s8(&widening, source, scratch + slot);
                } else {
                    for (int32_t lane = 0; lane < line.channels; ++lane) {
                        tinyc_depthwise_widen_lane(&widening, source + lane,
                            scratch + slot + lane * groups * TINYC_DEPTHWISE_LINES);
                    }
                }
                slot = slot < TINYC_DEPTHWISE_LINES - 1 ? slot + 1 : 0;
            }
            /* The oldest line, at `slot`, meets row 0 of the filter. */
            line.row = slot == 0 ? 0 : 8 * (TINYC_DEPTHWISE_LINES - slot);
            int8_t *const results = output + first + y * params->out.line_step;
            tinyc_depthwise_line_s8(&line, block, scratch, results);
            if (limited) {
                limit(results, &line, params->lowest, params->highest);
            }
        }
    }
}
