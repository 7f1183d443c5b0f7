/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_SPARSE_MVE_H
#define TINYC_SPARSE_MVE_H

#include "tinyc_structured.h"

#include <arm_mve.h>

/* Up to 16 stored weights: where they are, their values, and which of the 16 there are. */
typedef struct {
    uint8x16_t place;
    int8x16_t value;
    mve_pred16_t exists;
} tinyc_stored_weights;

TINYC_INLINE tinyc_stored_weights tinyc_load_stored(const uint8_t *place, const int8_t *value, int32_t count)
{
    const mve_pred16_t exists = vctp8q((uint32_t)count);
    const tinyc_stored_weights loaded = {vldrbq_z_u8(place, exists), vldrbq_z_s8(value, exists), exists};
    return loaded;
}

/* sum plus the products with the inputs x of a segment. */
TINYC_INLINE int32_t tinyc_add_stored(int32_t sum, const int8_t *x, tinyc_stored_weights weights)
{
    const int8x16_t inputs = vldrbq_gather_offset_z_s8(x, weights.place, weights.exists);
    return vmladavaq_p_s8(sum, inputs, weights.value, weights.exists);
}

#endif /* TINYC_SPARSE_MVE_H */
