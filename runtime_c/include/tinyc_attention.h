/* SPDX-License-Identifier: Apache-2.0
 *
 * Scaled dot-product attention, one row of scores at a time. Half precision is given by its bits.
 */
#ifndef TINYC_ATTENTION_H
#define TINYC_ATTENTION_H

#include <stdint.h>

#include "tinyc_runtime.h"

#define tinyc_attention_f32 tinyc1_attention_f32
#define tinyc_attention_f64 tinyc1_attention_f64
#define tinyc_attention_f16 tinyc1_attention_f16

#ifdef __cplusplus
extern "C" {
#endif

/* Elements from one batch, head or row to the next; 0 where a mask is the same for all. */
typedef struct {
    int32_t batch, head, row;
} tinyc_attention_strides;

enum { TINYC_MASK_NONE, TINYC_MASK_BOOL, TINYC_MASK_REAL };

/* What of the scores goes to `scores`. */
enum { TINYC_SCORES_NONE = -1, TINYC_SCORES_RAW, TINYC_SCORES_CAPPED, TINYC_SCORES_MASKED, TINYC_SCORES_SOFTMAX };

/*
 * A query at row r of a block stands at position r + offset, where offset is `past`, or lengths[batch] - rows where
 * lengths are given, and sees the keys from position - left to position + right that its mask admits and that lie below
 * lengths[batch]; left or right below 0 bound nothing. Heads share keys: head h reads key head h * kv_heads / heads.
 * A query that sees no key gives zeros.
 */
typedef struct {
    int32_t batch, heads, kv_heads, rows, keys, size, value_size;
    tinyc_attention_strides q, k, v, y, mask;
    int32_t mask_kind, mask_columns; /* the mask admits no key from mask_columns on */
    int32_t past, left, right;
    int32_t heads_inside;  /* 1: y's rows are done one after the other, each for all heads */
    int32_t scores_kind;   /* scores is [batch][heads][rows][keys] */
    int32_t exact_softmax; /* half precision: the softmax is rounded at its end only */
    float scale;
    float softcap; /* 0 for none */
} tinyc_attention_params;

/* y may be q, or begin before it, where both have the same strides and sizes. work [keys], of float for half
 * precision. mask is of uint8_t or of the operands' type; lengths [batch] or NULL. */
#define TINYC_ATTENTION_ARGUMENTS(real, number)                                                                        \
    (const tinyc_attention_params *params, const real *q, const real *k, const real *v, const void *mask,              \
     const int64_t *lengths, real *y, real *scores, number *work)

void tinyc_attention_f32 TINYC_ATTENTION_ARGUMENTS(float, float);
void tinyc_attention_f64 TINYC_ATTENTION_ARGUMENTS(double, double);
void tinyc_attention_f16 TINYC_ATTENTION_ARGUMENTS(uint16_t, float);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_ATTENTION_H */
