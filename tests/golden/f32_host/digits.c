/* SPDX-License-Identifier: Apache-2.0
 *
 * Model main_graph, compiled by tinyc 0.1.0 for host.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tinyc_f32.h"
#include "digits.h"

/* With DIGITS_PROFILE, labels at the beginning of each layer: digits_mark_0.N, ... They cost no instruction. */
#ifdef DIGITS_PROFILE
#define DIGITS_MARK(label) __asm__ volatile(#label ".%=:" ::: "memory")
#elif !defined DIGITS_MARK
#define DIGITS_MARK(label) ((void)0)
#endif

extern const float digits_l0_filter[144];
extern const float digits_l0_c2[16];
extern const float digits_l2_filter[4608];
extern const float digits_l2_c2[32];
extern const float digits_l4_filter[1280];
extern const float digits_l4_c2[10];

static const tinyc_conv2d_f32_params digits_s0 = {.batch = 1, .in_h = 8, .in_w = 8, .in_ch = 1, .out_h = 8, .out_w = 8, .out_ch = 16, .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1, .pad_top = 1, .pad_left = 1, .dilation_h = 1, .dilation_w = 1, .groups = 1, .min = 0.0f, .max = INFINITY};
static const tinyc_pool2d_f32_params digits_s1 = {.batch = 1, .in_h = 8, .in_w = 8, .channels = 16, .out_h = 4, .out_w = 4, .kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0, .dilation_h = 1, .dilation_w = 1, .count_include_pad = 0, .min = -INFINITY, .max = INFINITY};
static const tinyc_conv2d_f32_params digits_s2 = {.batch = 1, .in_h = 4, .in_w = 4, .in_ch = 16, .out_h = 4, .out_w = 4, .out_ch = 32, .kernel_h = 3, .kernel_w = 3, .stride_h = 1, .stride_w = 1, .pad_top = 1, .pad_left = 1, .dilation_h = 1, .dilation_w = 1, .groups = 1, .min = 0.0f, .max = INFINITY};
static const tinyc_pool2d_f32_params digits_s3 = {.batch = 1, .in_h = 4, .in_w = 4, .channels = 32, .out_h = 2, .out_w = 2, .kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad_top = 0, .pad_left = 0, .pad_bottom = 0, .pad_right = 0, .dilation_h = 1, .dilation_w = 1, .count_include_pad = 0, .min = -INFINITY, .max = INFINITY};
static const tinyc_conv2d_f32_params digits_s4 = {.batch = 1, .in_h = 1, .in_w = 1, .in_ch = 128, .out_h = 1, .out_w = 1, .out_ch = 10, .kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .pad_top = 0, .pad_left = 0, .dilation_h = 1, .dilation_w = 1, .groups = 1, .min = -INFINITY, .max = INFINITY};


int digits_run(void *arena_memory, const float *input, float *output)
{
    uint8_t *const arena = (uint8_t *)arena_memory;
    if (arena == NULL || ((uintptr_t)arena % DIGITS_ARENA_ALIGN) != 0U) {
        return DIGITS_E_ARENA;
    }
    if (input == NULL || output == NULL) {
        return DIGITS_E_ARGUMENT;
    }
    if ((const void *)(arena + 4096) != (const void *)input) {
        memcpy(arena + 4096, input, 256U);
    }

    /* node_Conv_36: Conv, float32[1x8x8x1] -> float32[1x8x8x16] */
    DIGITS_MARK(digits_mark_0);
    tinyc_conv2d_f32(&digits_s0, (float *)(void *)(arena + 4096), digits_l0_filter, digits_l0_c2, (float *)(void *)(arena));

    /* node_max_pool2d: MaxPool, float32[1x8x8x16] -> float32[1x4x4x16] */
    DIGITS_MARK(digits_mark_1);
    tinyc_maxpool2d_f32(&digits_s1, (float *)(void *)(arena), (float *)(void *)(arena + 4096));

    /* node_Conv_38: Conv, float32[1x4x4x16] -> float32[1x4x4x32] */
    DIGITS_MARK(digits_mark_2);
    tinyc_conv2d_f32(&digits_s2, (float *)(void *)(arena + 4096), digits_l2_filter, digits_l2_c2, (float *)(void *)(arena));

    /* node_max_pool2d_1: MaxPool, float32[1x4x4x32] -> float32[1x2x2x32] */
    DIGITS_MARK(digits_mark_3);
    tinyc_maxpool2d_f32(&digits_s3, (float *)(void *)(arena), (float *)(void *)(arena + 2048));

    /* node_linear.1: Gemm, float32[1x128] -> float32[1x10] */
    DIGITS_MARK(digits_mark_4);
    tinyc_conv2d_f32(&digits_s4, (float *)(void *)(arena + 2048), digits_l4_filter, digits_l4_c2, (float *)(void *)(arena));

    DIGITS_MARK(digits_mark_5);
    if ((const void *)(arena) != (const void *)output) {
        memcpy(output, arena, 40U);
    }

    return DIGITS_OK;
}
