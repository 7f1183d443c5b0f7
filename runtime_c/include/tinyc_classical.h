/* SPDX-License-Identifier: Apache-2.0
 *
 * What classical models need besides loops. Buffers do not overlap.
 */
#ifndef TINYC_CLASSICAL_H
#define TINYC_CLASSICAL_H

#include <stdint.h>

#include "tinyc_runtime.h"

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_pair_probabilities_f32 tinyc1_pair_probabilities_f32

#ifdef __cplusplus
extern "C" {
#endif

/* Scores [rows][pairs] of a support vector machine, pairs = classes * (classes - 1) / 2, to probabilities
 * out [rows][classes]. a and b [pairs] are Platt's sigmoids; the pairs' probabilities are joined by the iteration of
 * Wu, Lin and Weng, ended as in onnxruntime. scratch: classes * (classes + 1) floats. */
void tinyc_pair_probabilities_f32(const float *scores,
                                  const float *a,
                                  const float *b,
                                  float *out,
                                  float *scratch,
                                  int32_t rows,
                                  int32_t classes);

#ifdef __cplusplus
}
#endif

#endif
