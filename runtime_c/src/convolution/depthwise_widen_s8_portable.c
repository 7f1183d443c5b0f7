/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_depthwise_3x3_s8.h"

TINYC_FN(depthwise_widen_s8)
void tinyc_depthwise_widen_s8(const tinyc_depthwise_widening *how, const int8_t *line, int32_t *planes)
{
    for (int32_t lane = 0; lane < 4; ++lane) {
        tinyc_depthwise_widen_lane(how, line + lane, planes + lane * how->groups * TINYC_DEPTHWISE_LINES);
    }
}
