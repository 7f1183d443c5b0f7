/* SPDX-License-Identifier: Apache-2.0
 *
 * Integer kernels beside the CMSIS-NN API: functions by table, and conversions between quantized types and float32.
 * A quantized value q stands for (q - zero_point) * scale.
 */
#ifndef TINYC_S8_H
#define TINYC_S8_H

#include "tinyc_runtime.h"

#include <stdint.h>

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_lut_s8 tinyc1_lut_s8
#define tinyc_requantize_s8 tinyc1_requantize_s8
#define tinyc_add_table_s8 tinyc1_add_table_s8
#define tinyc_depthwise_3x3_s8 tinyc1_depthwise_3x3_s8
#define tinyc_sum_pixels_s8 tinyc1_sum_pixels_s8
#define tinyc_mean_pixels_s8 tinyc1_mean_pixels_s8
#define tinyc_quantize_f32_s8 tinyc1_quantize_f32_s8
#define tinyc_quantize_f32_u8 tinyc1_quantize_f32_u8
#define tinyc_quantize_f32_s16 tinyc1_quantize_f32_s16
#define tinyc_dequantize_s8_f32 tinyc1_dequantize_s8_f32
#define tinyc_dequantize_u8_f32 tinyc1_dequantize_u8_f32
#define tinyc_dequantize_s16_f32 tinyc1_dequantize_s16_f32
#define tinyc_dequantize_s32_f32 tinyc1_dequantize_s32_f32

#ifdef __cplusplus
extern "C" {
#endif

/* out[i] = table[in[i] + 128]: any function of one int8 value. out may be in. */
void tinyc_lut_s8(const int8_t *in, int8_t *out, int32_t count, const int8_t *table);

/* To another scale and zero point: clamp(requantize(in[i] - in_zero_point) + out_zero_point) to [min, max], where
 * requantize multiplies by multiplier * 2^(shift - 31) with two roundings, as TFLite does; multiplier >= 0,
 * shift in [-31, 22], and the zero points are int8 values. out may be in. */
void tinyc_requantize_s8(const int8_t *in, int8_t *out, int32_t count, int32_t in_zero_point, int32_t out_zero_point,
    int32_t multiplier, int32_t shift, int32_t min, int32_t max);

/* How a sum becomes a result: with multiplier * 2^(-right - 31), rounded twice, plus the zero point, limited. */
typedef struct {
    int32_t multiplier;
    int32_t right; /* in [1, 22] */
    int32_t zero_point;
    int32_t lowest, highest;
} tinyc_add_table_s8_params;

#define TINYC_ADD_SCALE ((int32_t)1 << 20)

/* Sums of values: twice a sum is a[i] * TINYC_ADD_SCALE + table[b[i] + 128], an even number, which stays below 2^31.
 * out may be a or b. */
void tinyc_add_table_s8(const tinyc_add_table_s8_params *params, const int8_t *a, const int8_t *b,
    const int32_t *table, int8_t *out, int32_t count);

/* An image as lines of pixels. A line is a row of the image, or a column, whichever way the steps say. */
typedef struct {
    int32_t lines;
    int32_t line_step; /* bytes from one line to the next */
    int32_t length;    /* pixels of a line */
    int32_t step;      /* bytes from one pixel to the next */
} tinyc_lines_s8;

typedef struct {
    int32_t channels;
    tinyc_lines_s8 in, out;
    int32_t stride;         /* 1 or 2, both ways */
    int32_t pad_lines, pad; /* in front of the first line, and of a line's first pixel: 0 or 1. Behind, what is needed */
    int32_t input_zero_point, output_zero_point;
    int32_t lowest, highest; /* of a result */
} tinyc_depthwise_3x3_s8_params;

/* Depthwise convolution with a 3x3 window for each channel; filter: nine taps for each channel, line by line. The bias has
 * minus input_zero_point times the sum of the taps in it; twice an accumulator fits into 32 bits, and each shift is in
 * [-22, -1]. scratch: 48 bytes for each group of two pixels that lines of results need, padding included, which is
 * 48 * (1 + (out.length + 1) / 2) for stride 1 and 48 * (1 + out.length) for stride 2.
 *
 * Channels are computed one after another, and of each the lines in order; a line of results is written after the last
 * line of the image that it needs was read. So the results may lie on the image where each channel stays at its places
 * and no result goes where a line further on is still to be read. */
void tinyc_depthwise_3x3_s8(const tinyc_depthwise_3x3_s8_params *params, const int8_t *input, const int8_t *filter,
    const int32_t *bias, const int32_t *multiplier, const int8_t *shift, int32_t *scratch, int8_t *output);

/* sums[c] += in[p * channels + c] over all pixels p; where `first` is not 0, the sums begin with these. The sums fit. */
void tinyc_sum_pixels_s8(const int8_t *in, int32_t pixels, int32_t channels, int32_t first, int16_t *sums);

/* How a sum becomes a mean: requantized with multiplier * 2^(shift - 31), rounded twice, plus the zero point, limited. */
typedef struct {
    int32_t offset; /* of the sum: what the operand's zero points add up to, negated */
    int32_t multiplier;
    int32_t shift; /* in [-31, 30] */
    int32_t zero_point;
    int32_t lowest, highest;
} tinyc_mean_s8;

/* out[c] = the mean of in[p * channels + c] over all pixels p, in another scale. out may be in. */
void tinyc_mean_pixels_s8(const tinyc_mean_s8 *mean, const int8_t *in, int32_t pixels, int32_t channels, int8_t *out);

/* ONNX QuantizeLinear: in[i] / scale rounded to nearest, halves to even, plus the zero point (a value of the output's
 * type), saturated. NaN gives the lowest value. */
void tinyc_quantize_f32_s8(const float *in, int8_t *out, int32_t count, float scale, int32_t zero_point);
void tinyc_quantize_f32_u8(const float *in, uint8_t *out, int32_t count, float scale, int32_t zero_point);
void tinyc_quantize_f32_s16(const float *in, int16_t *out, int32_t count, float scale, int32_t zero_point);

/* ONNX DequantizeLinear: (in[i] - zero_point) * scale. ONNX has no zero point for int32. */
void tinyc_dequantize_s8_f32(const int8_t *in, float *out, int32_t count, float scale, int32_t zero_point);
void tinyc_dequantize_u8_f32(const uint8_t *in, float *out, int32_t count, float scale, int32_t zero_point);
void tinyc_dequantize_s16_f32(const int16_t *in, float *out, int32_t count, float scale, int32_t zero_point);
void tinyc_dequantize_s32_f32(const int32_t *in, float *out, int32_t count, float scale);

#ifdef __cplusplus
}
#endif

#endif /* TINYC_S8_H */
