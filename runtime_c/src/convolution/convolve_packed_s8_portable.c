/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void tinyc_copy_s8(int8_t *to, const int8_t *from, int32_t bytes)
{
    memcpy(to, from, (size_t)bytes);
}

static inline void tinyc_fill_s8(int8_t *to, int32_t value, int32_t bytes)
{
    memset(to, value, (size_t)bytes);
}

#include "tinyc_convolve_packed_s8.h"

TINYC_FN(convolve_packed_s8)
void tinyc_convolve_packed_s8(const tinyc_packed_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out)
{
    tinyc_convolve_gathered_s8(conv, in, scratch, out);
}
