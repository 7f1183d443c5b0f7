/* SPDX-License-Identifier: Apache-2.0
 *
 * Float32 kernels. Activations are NHWC, strict IEEE single precision: results depend on the order of
 * accumulation and on the compiler's use of fused multiply-add, never on -ffast-math assumptions.
 * Dimensions are positive element counts; buffers do not overlap unless a function says that they may.
 */
#ifndef TINYC_F32_H
#define TINYC_F32_H

#include <stdint.h>

#include "tinyc_runtime.h"

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_conv2d_f32 tinyc1_conv2d_f32
#define tinyc_depthwise_conv2d_f32 tinyc1_depthwise_conv2d_f32
#define tinyc_conv_transpose2d_f32 tinyc1_conv_transpose2d_f32
#define tinyc_fully_connected_f32 tinyc1_fully_connected_f32
#define tinyc_matmul_f32 tinyc1_matmul_f32
#define tinyc_avgpool2d_f32 tinyc1_avgpool2d_f32
#define tinyc_maxpool2d_f32 tinyc1_maxpool2d_f32
#define tinyc_mean_pixels_f32 tinyc1_mean_pixels_f32
#define tinyc_softmax_f32 tinyc1_softmax_f32

#ifdef __cplusplus
extern "C" {
#endif

/* Geometry of a convolution. Padding below and to the right follows from the output's size: input positions
 * outside the image count as zero. For tinyc_depthwise_conv2d_f32, groups is not read. */
typedef struct {
    int32_t batch;
    int32_t in_h, in_w, in_ch;
    int32_t out_h, out_w, out_ch;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left;
    int32_t dilation_h, dilation_w;
    int32_t groups; /* divides in_ch and out_ch */
    float min, max; /* results are clamped to [min, max]; -INFINITY and INFINITY for none */
} tinyc_conv2d_f32_params;

/* Geometry of a pooling. pad_bottom and pad_right are read by the average with count_include_pad only: a position
 * in the padding counts in the divisor, one beyond it (ceil mode) does not. */
typedef struct {
    int32_t batch;
    int32_t in_h, in_w, channels;
    int32_t out_h, out_w;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    int32_t dilation_h, dilation_w;
    int32_t count_include_pad; /* 0 or 1 */
    float min, max;
} tinyc_pool2d_f32_params;

/* in [batch][in_h][in_w][in_ch], weights [out_ch][kernel_h][kernel_w][in_ch / groups], bias [out_ch] or NULL,
 * out [batch][out_h][out_w][out_ch]. */
void tinyc_conv2d_f32(const tinyc_conv2d_f32_params *params,
                      const float *in,
                      const float *weights,
                      const float *bias,
                      float *out);

/* Every input channel c makes the output channels c * m .. c * m + m - 1, m = out_ch / in_ch.
 * weights [kernel_h][kernel_w][out_ch]; the rest as tinyc_conv2d_f32. */
void tinyc_depthwise_conv2d_f32(const tinyc_conv2d_f32_params *params,
                                const float *in,
                                const float *weights,
                                const float *bias,
                                float *out);

/* The transposed convolution: tap (y, x) of a filter adds to the result at in * stride + tap * dilation - pad what the
 * element in[..] contributes. Operands as tinyc_conv2d_f32; out_h and out_w may leave some of the result out. */
void tinyc_conv_transpose2d_f32(const tinyc_conv2d_f32_params *params,
                                const float *in,
                                const float *weights,
                                const float *bias,
                                float *out);

/* out[rows][outputs] = clamp(in[rows][depth] * transpose(weights[outputs][depth]) + bias[outputs]); bias or NULL. */
void tinyc_fully_connected_f32(const float *in,
                               const float *weights,
                               const float *bias,
                               float *out,
                               int32_t rows,
                               int32_t depth,
                               int32_t outputs,
                               float min,
                               float max);

/* out[m][n] = a[m][k] * b[k][n]. */
void tinyc_matmul_f32(const float *a, const float *b, float *out, int32_t m, int32_t k, int32_t n);

/* in [batch][in_h][in_w][channels], out [batch][out_h][out_w][channels]. The mean of the window's positions inside
 * the image, over their number (or as count_include_pad says); 0 where there is none. */
void tinyc_avgpool2d_f32(const tinyc_pool2d_f32_params *params, const float *in, float *out);

/* As tinyc_avgpool2d_f32, the maximum: -INFINITY (then clamped) for a window wholly outside the image; a NaN loses
 * every comparison. */
void tinyc_maxpool2d_f32(const tinyc_pool2d_f32_params *params, const float *in, float *out);

/* in [pixels][channels], out [channels]: the mean over the pixels, clamped. out may begin where in does. */
void tinyc_mean_pixels_f32(const float *in, float *out, int32_t pixels, int32_t channels, float min, float max);

/* in and out [outer][axis][inner]: the softmax over axis, computed with the maximum subtracted. out may be in. */
void tinyc_softmax_f32(const float *in, float *out, int32_t outer, int32_t axis, int32_t inner);

#ifdef __cplusplus
}
#endif

#endif
