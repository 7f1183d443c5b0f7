/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention for elements of type REAL, computed in NUMBER. The including file defines these and LOAD, STORE (between
 * the two), ROUND (a NUMBER as a REAL would hold it), EXP, TANH, and the products SCORES and MIX.
 */
#ifndef TINYC_ATTENTION_RUN_H
#define TINYC_ATTENTION_RUN_H

#include <math.h>
#include <stddef.h>

/* One query: its row of q, y, mask and scores, its head of k and v, and the keys first .. end - 1 that it may see. */
typedef struct {
    const REAL *q, *k, *v;
    const uint8_t *admitted;
    const REAL *added;
    REAL *y, *scores;
    int32_t first, end;
} tinyc_query;

TINYC_INLINE void tinyc_export_scores(const tinyc_attention_params *params, const tinyc_query *query, int32_t kind,
                                      const NUMBER *work)
{
    if (params->scores_kind == kind) {
        for (int32_t j = 0; j < params->keys; j++) {
            query->scores[j] = STORE(work[j]);
        }
    }
}

/* The score with the mask's number; -INFINITY where the key is not to be seen. */
TINYC_INLINE NUMBER tinyc_masked(const tinyc_query *query, int32_t j, NUMBER score)
{
    if (j < query->first || j >= query->end) {
        return -(NUMBER)INFINITY;
    }
    if (query->admitted != NULL) {
        return query->admitted[j] ? score : -(NUMBER)INFINITY;
    }
    if (query->added != NULL) {
        const NUMBER more = LOAD(query->added[j]);
        return more > -(NUMBER)INFINITY ? ROUND(score + more) : -(NUMBER)INFINITY;
    }
    return score;
}

/* work[first .. end - 1] become probabilities; their largest score is top. */
TINYC_INLINE void tinyc_probabilities(NUMBER *work, int32_t first, int32_t end, NUMBER top, int32_t exact)
{
    NUMBER sum = 0;
    for (int32_t j = first; j < end; j++) {
        const NUMBER below = exact ? work[j] - top : ROUND(work[j] - top);
        const NUMBER e = EXP(below);
        work[j] = exact ? e : ROUND(e);
        sum += work[j];
    }
    sum = exact ? sum : ROUND(sum);
    for (int32_t j = first; j < end; j++) {
        work[j] = ROUND(work[j] / sum);
    }
}

TINYC_INLINE void tinyc_attend(const tinyc_attention_params *params, const tinyc_query *query, NUMBER *work)
{
    const int whole = params->scores_kind != TINYC_SCORES_NONE;
    const int32_t first = whole ? 0 : query->first;
    const int32_t end = whole ? params->keys : query->end;
    NUMBER top = -(NUMBER)INFINITY;
    int seen = 0; /* whether any key is */

    SCORES(params, query->q, query->k, work, first, end);
    tinyc_export_scores(params, query, TINYC_SCORES_RAW, work);
    if (params->softcap > 0.0f) {
        const NUMBER cap = (NUMBER)params->softcap;
        for (int32_t j = first; j < end; j++) {
            const NUMBER ratio = TANH(ROUND(work[j] / cap));
            work[j] = ROUND(ROUND(ratio) * cap);
        }
    }
    tinyc_export_scores(params, query, TINYC_SCORES_CAPPED, work);
    for (int32_t j = first; j < end; j++) {
        work[j] = tinyc_masked(query, j, work[j]);
        top = work[j] > top ? work[j] : top;
        seen |= !(work[j] <= -(NUMBER)INFINITY);
    }
    tinyc_export_scores(params, query, TINYC_SCORES_MASKED, work);
    if (seen) {
        tinyc_probabilities(work, first, end, top, params->exact_softmax);
    } else {
        for (int32_t j = first; j < end; j++) {
            work[j] = 0;
        }
    }
    tinyc_export_scores(params, query, TINYC_SCORES_SOFTMAX, work);
    MIX(params, query->v, work, query->first, query->end, query->y);
}

/* The keys that a query at this row may see, but for its mask. */
TINYC_INLINE void tinyc_reach(
    const tinyc_attention_params *params, tinyc_query *query, int32_t row, const int64_t *length)
{
    int32_t filled = params->keys;
    int32_t position = row + params->past;
    query->first = 0;
    if (length != NULL) {
        filled = *length < 0 ? 0 : *length < filled ? (int32_t)*length : filled;
        position = row + filled - params->rows;
    }
    query->end = filled;
    if (params->mask_kind != TINYC_MASK_NONE && params->mask_columns < query->end) {
        query->end = params->mask_columns;
    }
    if (params->right >= 0 && position + params->right + 1 < query->end) {
        query->end = position + params->right + 1;
    }
    if (params->left >= 0 && position - params->left > 0) {
        query->first = position - params->left;
    }
    if (query->end < query->first) {
        query->first = 0;
        query->end = 0;
    }
}

TINYC_INLINE void tinyc_attention_run TINYC_ATTENTION_ARGUMENTS(REAL, NUMBER)
{
    const int32_t outer = params->heads_inside ? params->rows : params->heads;
    const int32_t inner = params->heads_inside ? params->heads : params->rows;
    const int32_t shared = params->heads / params->kv_heads;
    for (int32_t b = 0; b < params->batch; b++) {
        for (int32_t i = 0; i < outer; i++) {
            for (int32_t j = 0; j < inner; j++) {
                const int32_t head = params->heads_inside ? j : i;
                const int32_t row = params->heads_inside ? i : j;
                const int32_t place = b * params->mask.batch + head * params->mask.head + row * params->mask.row;
                const int32_t line = (b * params->heads + head) * params->rows + row;
                tinyc_query query = {
                    .q = q + (b * params->q.batch + head * params->q.head + row * params->q.row),
                    .k = k + (b * params->k.batch + head / shared * params->k.head),
                    .v = v + (b * params->v.batch + head / shared * params->v.head),
                    .y = y + (b * params->y.batch + head * params->y.head + row * params->y.row),
                };
                if (params->mask_kind == TINYC_MASK_BOOL) {
                    query.admitted = (const uint8_t *)mask + place;
                } else if (params->mask_kind == TINYC_MASK_REAL) {
                    query.added = (const REAL *)mask + place;
                }
                if (params->scores_kind != TINYC_SCORES_NONE) {
                    query.scores = scores + line * params->keys;
                }
                tinyc_reach(params, &query, row, lengths != NULL ? lengths + b : NULL);
                tinyc_attend(params, &query, work);
            }
        }
    }
}

#endif /* TINYC_ATTENTION_RUN_H */
