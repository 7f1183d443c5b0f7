/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators whose operands are known only at run time while the shapes are static. Whatever the operands are, nothing
 * outside the given tensors is read or written; a result other than 0 says that they do not fit the shapes.
 */
#ifndef TINYC_DYNAMIC_H
#define TINYC_DYNAMIC_H

#include <stdint.h>

#include "tinyc_runtime.h"

#define tinyc_slice_any tinyc1_slice_any
#define tinyc_pad_any tinyc1_pad_any

#ifdef __cplusplus
extern "C" {
#endif

#define TINYC_DYNAMIC_RANK 8

/* Two dense tensors: `rank` extents of each, at most TINYC_DYNAMIC_RANK, and the bytes of an element. */
typedef struct {
    int32_t rank;
    int32_t element;
    const int32_t *in;
    const int32_t *out;
} tinyc_dynamic_shapes;

enum { TINYC_PAD_CONSTANT, TINYC_PAD_EDGE, TINYC_PAD_REFLECT, TINYC_PAD_WRAP };

/* ONNX's Slice: y from x. starts, ends, and axes and steps where they are not NULL, have `count` elements, int64_t if
 * `wide`, else int32_t. */
int32_t tinyc_slice_any(const tinyc_dynamic_shapes *shapes,
                        const void *x,
                        void *y,
                        const void *starts,
                        const void *ends,
                        const void *axes,
                        const void *steps,
                        int32_t count,
                        int32_t wide);

/* ONNX's Pad: y from x. pads: int64_t, `count` numbers of elements before and `count` behind the axes, which are as
 * those of tinyc_slice_any. value: an element. */
int32_t tinyc_pad_any(const tinyc_dynamic_shapes *shapes,
                      const void *x,
                      void *y,
                      const void *pads,
                      const void *value,
                      const void *axes,
                      int32_t count,
                      int32_t wide,
                      int32_t mode);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_DYNAMIC_H */
