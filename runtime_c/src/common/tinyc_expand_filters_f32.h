/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_EXPAND_FILTERS_F32_H
#define TINYC_EXPAND_FILTERS_F32_H

#include "tinyc_runtime.h"

#include <stdint.h>

#define tinyc_expand_filters_f32 tinyc1_expand_filters_f32

/* out[outer][channels][inner] = (in - zeros[channel]) * scales[channel]; zeros may be NULL. */
void tinyc_expand_filters_f32(const int8_t *in,
                              const float *scales,
                              const int8_t *zeros,
                              float *out,
                              int32_t outer,
                              int32_t channels,
                              int32_t inner);

#endif /* TINYC_EXPAND_FILTERS_F32_H */
