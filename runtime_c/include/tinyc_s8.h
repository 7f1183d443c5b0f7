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
#define tinyc_sum_pixels_s8 tinyc1_sum_pixels_s8
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

/* sums[c] += in[p * channels + c] over all pixels p; where `first` is not 0, the sums begin with these. The sums fit. */
void tinyc_sum_pixels_s8(const int8_t *in, int32_t pixels, int32_t channels, int32_t first, int16_t *sums);

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
