/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

/* In assembly for the tail-predicated hardware loop, which compilers do not form. */
static inline void tinyc_copy_s8(int8_t *to, const int8_t *from, int32_t bytes)
{
    __asm__ volatile("wlstp.8 lr, %2, 2f\n"
                     "1: vldrb.u8 q0, [%1], #16\n"
                     "vstrb.8 q0, [%0], #16\n"
                     "letp lr, 1b\n"
                     "2:"
                     : "+r"(to), "+r"(from)
                     : "r"(bytes)
                     : "lr", "q0", "memory");
}

static inline void tinyc_fill_s8(int8_t *to, int32_t value, int32_t bytes)
{
    __asm__ volatile("vdup.8 q0, %1\n"
                     "wlstp.8 lr, %2, 2f\n"
                     "1: vstrb.8 q0, [%0], #16\n"
                     "letp lr, 1b\n"
                     "2:"
                     : "+r"(to)
                     : "r"(value), "r"(bytes)
                     : "lr", "q0", "memory");
}

#include "tinyc_convolve_packed_s8.h"

TINYC_FN(convolve_packed_s8)
void tinyc_convolve_packed_s8(const tinyc_packed_conv_s8 *conv, const int8_t *in, int8_t *scratch, int8_t *out)
{
    tinyc_convolve_gathered_s8(conv, in, scratch, out);
}
