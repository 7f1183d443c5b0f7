/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Four int8 values in a word, with the DSP extension: SSUB8 sets a flag per byte, SEL picks by it.
 */
#ifndef TINYC_PACK_S8_DSP_H
#define TINYC_PACK_S8_DSP_H

#include "tinyc_instructions_dsp.h"
#include "tinyc_runtime.h"

#include <arm_acle.h>
#include <stdint.h>
#include <string.h>

/* Four values from any address. */
TINYC_INLINE int8x4_t tinyc_read_s8x4(const int8_t *from)
{
    int8x4_t values;
    memcpy(&values, from, sizeof(values));
    return values;
}

/* Four values to any address. */
TINYC_INLINE void tinyc_write_s8x4(int8_t *to, int8x4_t values)
{
    memcpy(to, &values, sizeof(values));
}

TINYC_INLINE int8x4_t tinyc_splat_s8x4(int32_t value)
{
    return (int8x4_t)((uint32_t)(uint8_t)value * UINT32_C(0x01010101));
}

/* The larger of each pair of bytes. */
TINYC_INLINE int8x4_t tinyc_max_s8x4(int8x4_t a, int8x4_t b)
{
    (void)__ssub8(a, b);
    return (int8x4_t)__sel((uint8x4_t)a, (uint8x4_t)b);
}

/* The smaller of each pair of bytes. */
TINYC_INLINE int8x4_t tinyc_min_s8x4(int8x4_t a, int8x4_t b)
{
    (void)__ssub8(a, b);
    return (int8x4_t)__sel((uint8x4_t)b, (uint8x4_t)a);
}

TINYC_INLINE int8x4_t tinyc_limit_s8x4(int8x4_t values, int8x4_t lowest, int8x4_t highest)
{
    return tinyc_min_s8x4(tinyc_max_s8x4(values, lowest), highest);
}

/* Four 32-bit values, saturated to int8. */
TINYC_INLINE int8x4_t tinyc_pack_s8x4(int32_t v0, int32_t v1, int32_t v2, int32_t v3)
{
    const uint32_t even = ((uint32_t)tinyc_ssat8(v0) & 0xffffu) | ((uint32_t)tinyc_ssat8(v2) << 16);
    const uint32_t odd = ((uint32_t)tinyc_ssat8(v1) & 0xffffu) | ((uint32_t)tinyc_ssat8(v3) << 16);
    return (int8x4_t)((even & 0x00ff00ffu) | ((odd & 0x00ff00ffu) << 8));
}

#endif /* TINYC_PACK_S8_DSP_H */
