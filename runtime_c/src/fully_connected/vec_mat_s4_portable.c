/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyc_requantize.h"
#include "tinyc_s4.h"

#include <stdbool.h>
#include <stddef.h>

TINYC_FN(vec_mat_s4)
void tinyc_vec_mat_s4(const tinyc_mat_mult_s8_params *params, const int8_t *lhs, int8_t *dst)
{
    const int32_t lhs_offset = params->lhs_offset;
    const int8_t *weights = params->rhs;
    bool in_byte = false; /* the next weight is the high half of *weights */
    for (int32_t channel = 0; channel < params->rhs_rows; ++channel) {
        const int8_t *x = lhs;
        int32_t left = params->rhs_cols;
        int32_t acc = params->bias != NULL ? params->bias[channel] : 0;
        if (in_byte) {
            acc += (*x++ + lhs_offset) * tinyc_high_s4(*weights++);
            --left;
        }
        for (; left >= 2; left -= 2, x += 2) {
            const int8_t byte = *weights++;
            acc += (x[0] + lhs_offset) * tinyc_low_s4(byte) + (x[1] + lhs_offset) * tinyc_high_s4(byte);
        }
        in_byte = left > 0;
        if (in_byte) {
            acc += (*x + lhs_offset) * tinyc_low_s4(*weights);
        }
        const int32_t quant = channel * params->quant_step;
        dst[channel] = tinyc_requantize_to_s8(acc, params->multiplier[quant], params->shift[quant],
            params->dst_offset, params->dst_min, params->dst_max);
    }
}
