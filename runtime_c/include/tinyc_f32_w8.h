/* SPDX-License-Identifier: Apache-2.0
 *
 * Float32 layers whose weights are stored as int8: real = (stored - zero) * scale, with a scale and a zero point for
 * each output channel. zeros is NULL where all of them are 0. Everything else is as in tinyc_f32.h.
 */
#ifndef TINYC_F32_W8_H
#define TINYC_F32_W8_H

#include "tinyc_f32.h"

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_conv2d_f32_w8 tinyc1_conv2d_f32_w8
#define tinyc_depthwise_conv2d_f32_w8 tinyc1_depthwise_conv2d_f32_w8
#define tinyc_fully_connected_f32_w8 tinyc1_fully_connected_f32_w8

#ifdef __cplusplus
extern "C" {
#endif

/* Equals tinyc_conv2d_f32 on the real weights to the bit. Filters are expanded `at_once` at a time into scratch,
 * [at_once][kernel_h][kernel_w][in_ch / groups]; multiples of 4 are fastest. */
void tinyc_conv2d_f32_w8(const tinyc_conv2d_f32_params *params,
                         const float *in,
                         const int8_t *weights,
                         const float *scales,
                         const int8_t *zeros,
                         const float *bias,
                         float *out,
                         float *scratch,
                         int32_t at_once);

/* Equals tinyc_depthwise_conv2d_f32 on the real weights to the bit; scratch [kernel_h][kernel_w][out_ch]. */
void tinyc_depthwise_conv2d_f32_w8(const tinyc_conv2d_f32_params *params,
                                   const float *in,
                                   const int8_t *weights,
                                   const float *scales,
                                   const int8_t *zeros,
                                   const float *bias,
                                   float *out,
                                   float *scratch);

/* As tinyc_fully_connected_f32; scale and zero point are applied to the sums of products with stored weights. */
void tinyc_fully_connected_f32_w8(const float *in,
                                  const int8_t *weights,
                                  const float *scales,
                                  const int8_t *zeros,
                                  const float *bias,
                                  float *out,
                                  int32_t rows,
                                  int32_t depth,
                                  int32_t outputs,
                                  float min,
                                  float max);

#ifdef __cplusplus
}
#endif

#endif
