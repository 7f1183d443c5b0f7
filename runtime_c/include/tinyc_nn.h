/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subset of the CMSIS-NN v7.0.0 API that tinyc's int8 code calls, implemented by this runtime.
 *
 * Types have CMSIS-NN's names and layout, functions its signatures with the prefix tinyc_. Generated code
 * maps the CMSIS names onto these through tinyc_cmsis_map.h, so the same calls also compile against Arm's
 * own arm_nnfunctions.h. Results are bit-identical to CMSIS-NN built without CMSIS_NN_USE_SINGLE_ROUNDING.
 *
 * Unless a function says otherwise: input, output and scratch must not overlap; int8 data need no alignment;
 * int32 data and ctx->buf are aligned to 4 bytes; bias_data may be NULL; bias_dims is never read.
 */
#ifndef TINYC_NN_H
#define TINYC_NN_H

#include "tinyc_runtime.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef CMSIS_NN_USE_SINGLE_ROUNDING
#error "tinyc follows the int8 specification with double rounding; CMSIS_NN_USE_SINGLE_ROUNDING differs"
#endif

/* Arm's header brings the same types: where it was included first, they are used. */
#ifndef ARM_NN_TYPES_H

typedef enum {
    ARM_CMSIS_NN_SUCCESS = 0,
    ARM_CMSIS_NN_ARG_ERROR = -1,
    ARM_CMSIS_NN_NO_IMPL_ERROR = -2,
    ARM_CMSIS_NN_FAILURE = -3
} arm_cmsis_nn_status;

/* A width and a height: stride, padding, dilation. */
typedef struct {
    int32_t w;
    int32_t h;
} cmsis_nn_tile;

/* Scratch memory, or a table of constants on Helium's fully connected layers; size in bytes. */
typedef struct {
    void *buf;
    int32_t size;
} cmsis_nn_context;

/* A bias of int32 (and sums of 32 bits) or of int64; data may be NULL. */
typedef struct {
    const void *data;
    const bool is_int32_bias;
} cmsis_nn_bias_data;

/* NHWC extents; n is the number of output channels (or the accumulation depth) where it describes filters. */
typedef struct {
    int32_t n;
    int32_t h;
    int32_t w;
    int32_t c;
} cmsis_nn_dims;

/* Multipliers in Q31 and shifts (positive to the left), one per output channel. */
typedef struct {
    int32_t *multiplier;
    int32_t *shift;
} cmsis_nn_per_channel_quant_params;

typedef struct {
    int32_t multiplier;
    int32_t shift;
} cmsis_nn_per_tensor_quant_params;

typedef struct {
    int32_t *multiplier;
    int32_t *shift;
    int32_t is_per_channel;
} cmsis_nn_quant_params;

/* Inclusive clamp of the output. */
typedef struct {
    int32_t min;
    int32_t max;
} cmsis_nn_activation;

/* input_offset is minus the input's zero point, output_offset the output's zero point. */
typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation;
} cmsis_nn_conv_params;

/* ch_mult is the number of output channels for each input channel. */
typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    int32_t ch_mult;
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_tile dilation;
    cmsis_nn_activation activation;
} cmsis_nn_dw_conv_params;

typedef struct {
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_activation activation;
} cmsis_nn_pool_params;

/* filter_offset is minus the filters' zero point. */
typedef struct {
    int32_t input_offset;
    int32_t filter_offset;
    int32_t output_offset;
    cmsis_nn_activation activation;
} cmsis_nn_fc_params;

/* Output dimension i is input dimension permutations[i]. */
typedef struct {
    const int32_t num_dims;
    const uint32_t *permutations;
} cmsis_nn_transpose_params;

/* input_offset is the input's zero point, output_offset the output's. */
typedef struct {
    int32_t rank;
    int32_t input_offset;
    int32_t output_offset;
    cmsis_nn_activation input_activation;
    cmsis_nn_activation output_activation;
} cmsis_nn_svdf_params;

typedef enum {
    ARM_SIGMOID = 0,
    ARM_TANH = 1
} arm_nn_activation_type;

/* A gate of an LSTM. Effective biases have the kernel sums times the offsets in them; bias is not read. */
typedef struct {
    int32_t input_multiplier;
    int32_t input_shift;
    const void *input_weights;
    const void *input_effective_bias;
    int32_t hidden_multiplier;
    int32_t hidden_shift;
    const void *hidden_weights;
    const void *hidden_effective_bias;
    const void *bias;
    arm_nn_activation_type activation_type;
} cmsis_nn_lstm_gate;

/* A cell of the state is worth 2^cell_scale_power; it is limited to +-cell_clip where that is positive. */
typedef struct {
    int32_t time_major;
    int32_t batch_size;
    int32_t time_steps;
    int32_t input_size;
    int32_t hidden_size;
    int32_t input_offset;
    int32_t forget_to_cell_multiplier;
    int32_t forget_to_cell_shift;
    int32_t input_to_cell_multiplier;
    int32_t input_to_cell_shift;
    int32_t cell_clip;
    int32_t cell_scale_power;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t output_offset;
    cmsis_nn_lstm_gate forget_gate;
    cmsis_nn_lstm_gate input_gate;
    cmsis_nn_lstm_gate cell_gate;
    cmsis_nn_lstm_gate output_gate;
} cmsis_nn_lstm_params;

typedef struct {
    void *temp1;
    void *temp2;
    void *cell_state;
} cmsis_nn_lstm_context;

#endif /* ARM_NN_TYPES_H */

/* Symbols carry the ABI number (see tinyc_runtime.h). */
#define tinyc_arm_convolve_wrapper_s8 tinyc1_arm_convolve_wrapper_s8
#define tinyc_arm_convolve_wrapper_s8_get_buffer_size tinyc1_arm_convolve_wrapper_s8_get_buffer_size
#define tinyc_arm_convolve_s8 tinyc1_arm_convolve_s8
#define tinyc_arm_convolve_s8_get_buffer_size tinyc1_arm_convolve_s8_get_buffer_size
#define tinyc_arm_convolve_1x1_s8_fast tinyc1_arm_convolve_1x1_s8_fast
#define tinyc_arm_convolve_1x1_s8_fast_get_buffer_size tinyc1_arm_convolve_1x1_s8_fast_get_buffer_size
#define tinyc_arm_convolve_1x1_s8 tinyc1_arm_convolve_1x1_s8
#define tinyc_arm_convolve_1_x_n_s8 tinyc1_arm_convolve_1_x_n_s8
#define tinyc_arm_convolve_1_x_n_s8_get_buffer_size tinyc1_arm_convolve_1_x_n_s8_get_buffer_size
#define tinyc_arm_depthwise_conv_wrapper_s8 tinyc1_arm_depthwise_conv_wrapper_s8
#define tinyc_arm_depthwise_conv_wrapper_s8_get_buffer_size tinyc1_arm_depthwise_conv_wrapper_s8_get_buffer_size
#define tinyc_arm_depthwise_conv_s8 tinyc1_arm_depthwise_conv_s8
#define tinyc_arm_depthwise_conv_3x3_s8 tinyc1_arm_depthwise_conv_3x3_s8
#define tinyc_arm_depthwise_conv_s8_opt tinyc1_arm_depthwise_conv_s8_opt
#define tinyc_arm_depthwise_conv_s8_opt_get_buffer_size tinyc1_arm_depthwise_conv_s8_opt_get_buffer_size
#define tinyc_arm_fully_connected_s8 tinyc1_arm_fully_connected_s8
#define tinyc_arm_fully_connected_s8_get_buffer_size tinyc1_arm_fully_connected_s8_get_buffer_size
#define tinyc_arm_fully_connected_per_channel_s8 tinyc1_arm_fully_connected_per_channel_s8
#define tinyc_arm_fully_connected_wrapper_s8 tinyc1_arm_fully_connected_wrapper_s8
#define tinyc_arm_avgpool_s8 tinyc1_arm_avgpool_s8
#define tinyc_arm_avgpool_s8_get_buffer_size tinyc1_arm_avgpool_s8_get_buffer_size
#define tinyc_arm_max_pool_s8 tinyc1_arm_max_pool_s8
#define tinyc_arm_softmax_s8 tinyc1_arm_softmax_s8
#define tinyc_arm_elementwise_add_s8 tinyc1_arm_elementwise_add_s8
#define tinyc_arm_elementwise_mul_s8 tinyc1_arm_elementwise_mul_s8
#define tinyc_arm_pad_s8 tinyc1_arm_pad_s8
#define tinyc_arm_transpose_s8 tinyc1_arm_transpose_s8
#define tinyc_arm_convolve_wrapper_s4 tinyc1_arm_convolve_wrapper_s4
#define tinyc_arm_convolve_s4 tinyc1_arm_convolve_s4
#define tinyc_arm_convolve_s4_get_buffer_size tinyc1_arm_convolve_s4_get_buffer_size
#define tinyc_arm_convolve_1x1_s4_fast tinyc1_arm_convolve_1x1_s4_fast
#define tinyc_arm_convolve_1x1_s4 tinyc1_arm_convolve_1x1_s4
#define tinyc_arm_depthwise_conv_wrapper_s4 tinyc1_arm_depthwise_conv_wrapper_s4
#define tinyc_arm_depthwise_conv_s4 tinyc1_arm_depthwise_conv_s4
#define tinyc_arm_depthwise_conv_s4_opt tinyc1_arm_depthwise_conv_s4_opt
#define tinyc_arm_depthwise_conv_s4_opt_get_buffer_size tinyc1_arm_depthwise_conv_s4_opt_get_buffer_size
#define tinyc_arm_fully_connected_s4 tinyc1_arm_fully_connected_s4
#define tinyc_arm_convolve_wrapper_s16 tinyc1_arm_convolve_wrapper_s16
#define tinyc_arm_convolve_s16 tinyc1_arm_convolve_s16
#define tinyc_arm_convolve_s16_get_buffer_size tinyc1_arm_convolve_s16_get_buffer_size
#define tinyc_arm_depthwise_conv_wrapper_s16 tinyc1_arm_depthwise_conv_wrapper_s16
#define tinyc_arm_depthwise_conv_s16 tinyc1_arm_depthwise_conv_s16
#define tinyc_arm_depthwise_conv_fast_s16 tinyc1_arm_depthwise_conv_fast_s16
#define tinyc_arm_fully_connected_s16 tinyc1_arm_fully_connected_s16
#define tinyc_arm_avgpool_s16 tinyc1_arm_avgpool_s16
#define tinyc_arm_max_pool_s16 tinyc1_arm_max_pool_s16
#define tinyc_arm_elementwise_add_s16 tinyc1_arm_elementwise_add_s16
#define tinyc_arm_elementwise_mul_s16 tinyc1_arm_elementwise_mul_s16
#define tinyc_arm_lstm_unidirectional_s8 tinyc1_arm_lstm_unidirectional_s8
#define tinyc_lstm_sigmoid_u16 tinyc1_lstm_sigmoid_u16
#define tinyc_arm_svdf_s8 tinyc1_arm_svdf_s8
#define tinyc_arm_svdf_state_s16_s8 tinyc1_arm_svdf_state_s16_s8

/* Convolution, NHWC, filters [out][h][w][in / groups], per-channel requantization. */

arm_cmsis_nn_status tinyc_arm_convolve_wrapper_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims);

arm_cmsis_nn_status tinyc_arm_convolve_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *upscale_dims, const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_convolve_s8_get_buffer_size(const cmsis_nn_dims *input_dims,
    const cmsis_nn_dims *filter_dims);

arm_cmsis_nn_status tinyc_arm_convolve_1x1_s8_fast(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_convolve_1x1_s8_fast_get_buffer_size(const cmsis_nn_dims *input_dims);

arm_cmsis_nn_status tinyc_arm_convolve_1x1_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_convolve_1_x_n_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_convolve_1_x_n_s8_get_buffer_size(const cmsis_nn_conv_params *conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims);

/* Depthwise convolution, filters [1][h][w][out]. */

arm_cmsis_nn_status tinyc_arm_depthwise_conv_wrapper_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params *dw_conv_params,
    const cmsis_nn_dims *input_dims, const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_3x3_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_s8_opt(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_depthwise_conv_s8_opt_get_buffer_size(const cmsis_nn_dims *input_dims,
    const cmsis_nn_dims *filter_dims);

/* Fully connected: filters [out][in]. See fully_connected/ for what ctx->buf holds on Helium. */

arm_cmsis_nn_status tinyc_arm_fully_connected_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_fc_params *fc_params, const cmsis_nn_per_tensor_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_fully_connected_s8_get_buffer_size(const cmsis_nn_dims *filter_dims);

arm_cmsis_nn_status tinyc_arm_fully_connected_per_channel_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_fc_params *fc_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_fully_connected_wrapper_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_fc_params *fc_params, const cmsis_nn_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

/* Pooling. */

arm_cmsis_nn_status tinyc_arm_avgpool_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_pool_params *pool_params, const cmsis_nn_dims *input_dims, const int8_t *input_data,
    const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_avgpool_s8_get_buffer_size(const int dim_dst_width, const int ch_src);

arm_cmsis_nn_status tinyc_arm_max_pool_s8(const cmsis_nn_context *ctx,
    const cmsis_nn_pool_params *pool_params, const cmsis_nn_dims *input_dims, const int8_t *input_data,
    const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims, int8_t *output_data);

/* Softmax over rows. */

void tinyc_arm_softmax_s8(const int8_t *input, const int32_t num_rows, const int32_t row_size,
    const int32_t mult, const int32_t shift, const int32_t diff_min, int8_t *output);

/* Element-wise, int8 with rescaling of both operands. */

arm_cmsis_nn_status tinyc_arm_elementwise_add_s8(const int8_t *input_1_vect, const int8_t *input_2_vect,
    const int32_t input_1_offset, const int32_t input_1_mult, const int32_t input_1_shift,
    const int32_t input_2_offset, const int32_t input_2_mult, const int32_t input_2_shift,
    const int32_t left_shift, int8_t *output, const int32_t out_offset, const int32_t out_mult,
    const int32_t out_shift, const int32_t out_activation_min, const int32_t out_activation_max,
    const int32_t block_size);

arm_cmsis_nn_status tinyc_arm_elementwise_mul_s8(const int8_t *input_1_vect, const int8_t *input_2_vect,
    const int32_t input_1_offset, const int32_t input_2_offset, int8_t *output, const int32_t out_offset,
    const int32_t out_mult, const int32_t out_shift, const int32_t out_activation_min,
    const int32_t out_activation_max, const int32_t block_size);

/* Constant padding of a 4-D tensor. */

arm_cmsis_nn_status tinyc_arm_pad_s8(const int8_t *input, int8_t *output, const int8_t pad_value,
    const cmsis_nn_dims *input_size, const cmsis_nn_dims *pre_pad, const cmsis_nn_dims *post_pad);

/* Transpose of up to four dimensions. */

arm_cmsis_nn_status tinyc_arm_transpose_s8(const int8_t *input_data, int8_t *const output_data,
    const cmsis_nn_dims *const input_dims, const cmsis_nn_dims *const output_dims,
    const cmsis_nn_transpose_params *const transpose_params);

/* Filters of 4 bits, two a byte, the first in the low half, without gaps; shapes as for int8. */

arm_cmsis_nn_status tinyc_arm_convolve_wrapper_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_convolve_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_convolve_1x1_s4_fast(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_convolve_1x1_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_convolve_s4_get_buffer_size(const cmsis_nn_dims *input_dims,
    const cmsis_nn_dims *filter_dims);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_wrapper_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_s4_opt(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

int32_t tinyc_arm_depthwise_conv_s4_opt_get_buffer_size(const cmsis_nn_dims *input_dims,
    const cmsis_nn_dims *filter_dims);

arm_cmsis_nn_status tinyc_arm_fully_connected_s4(const cmsis_nn_context *ctx,
    const cmsis_nn_fc_params *fc_params, const cmsis_nn_per_tensor_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int8_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int32_t *bias_data,
    const cmsis_nn_dims *output_dims, int8_t *output_data);

/* int16 activations, without zero points: offsets are not read. Data are aligned to their size. */

arm_cmsis_nn_status tinyc_arm_convolve_wrapper_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const cmsis_nn_bias_data *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data);

arm_cmsis_nn_status tinyc_arm_convolve_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_conv_params *conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const cmsis_nn_bias_data *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data);

int32_t tinyc_arm_convolve_s16_get_buffer_size(const cmsis_nn_dims *input_dims,
    const cmsis_nn_dims *filter_dims);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_wrapper_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int64_t *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int64_t *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data);

arm_cmsis_nn_status tinyc_arm_depthwise_conv_fast_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_dw_conv_params *dw_conv_params, const cmsis_nn_per_channel_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int64_t *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data);

arm_cmsis_nn_status tinyc_arm_fully_connected_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_fc_params *fc_params, const cmsis_nn_per_tensor_quant_params *quant_params,
    const cmsis_nn_dims *input_dims, const int16_t *input_data, const cmsis_nn_dims *filter_dims,
    const int8_t *filter_data, const cmsis_nn_dims *bias_dims, const int64_t *bias_data,
    const cmsis_nn_dims *output_dims, int16_t *output_data);

arm_cmsis_nn_status tinyc_arm_avgpool_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_pool_params *pool_params, const cmsis_nn_dims *input_dims, const int16_t *input_data,
    const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims, int16_t *output_data);

arm_cmsis_nn_status tinyc_arm_max_pool_s16(const cmsis_nn_context *ctx,
    const cmsis_nn_pool_params *pool_params, const cmsis_nn_dims *input_dims, const int16_t *input_data,
    const cmsis_nn_dims *filter_dims, const cmsis_nn_dims *output_dims, int16_t *output_data);

arm_cmsis_nn_status tinyc_arm_elementwise_add_s16(const int16_t *input_1_vect, const int16_t *input_2_vect,
    const int32_t input_1_offset, const int32_t input_1_mult, const int32_t input_1_shift,
    const int32_t input_2_offset, const int32_t input_2_mult, const int32_t input_2_shift,
    const int32_t left_shift, int16_t *output, const int32_t out_offset, const int32_t out_mult,
    const int32_t out_shift, const int32_t out_activation_min, const int32_t out_activation_max,
    const int32_t block_size);

arm_cmsis_nn_status tinyc_arm_elementwise_mul_s16(const int16_t *input_1_vect, const int16_t *input_2_vect,
    const int32_t input_1_offset, const int32_t input_2_offset, int16_t *output, const int32_t out_offset,
    const int32_t out_mult, const int32_t out_shift, const int32_t out_activation_min,
    const int32_t out_activation_max, const int32_t block_size);

/* An LSTM that starts from zeros, with its gates as 16-bit numbers. */

arm_cmsis_nn_status tinyc_arm_lstm_unidirectional_s8(const int8_t *input, int8_t *output,
    const cmsis_nn_lstm_params *params, cmsis_nn_lstm_context *buffers);

extern const uint16_t tinyc_lstm_sigmoid_u16[256];

/* SVDF: features of the input, a window of them over time, sums of `rank` features. */

arm_cmsis_nn_status tinyc_arm_svdf_s8(const cmsis_nn_context *ctx, const cmsis_nn_context *input_ctx,
    const cmsis_nn_context *output_ctx, const cmsis_nn_svdf_params *svdf_params,
    const cmsis_nn_per_tensor_quant_params *input_quant_params,
    const cmsis_nn_per_tensor_quant_params *output_quant_params, const cmsis_nn_dims *input_dims,
    const int8_t *input_data, const cmsis_nn_dims *state_dims, int8_t *state_data,
    const cmsis_nn_dims *weights_feature_dims, const int8_t *weights_feature_data,
    const cmsis_nn_dims *weights_time_dims, const int8_t *weights_time_data, const cmsis_nn_dims *bias_dims,
    const int32_t *bias_data, const cmsis_nn_dims *output_dims, int8_t *output_data);

arm_cmsis_nn_status tinyc_arm_svdf_state_s16_s8(const cmsis_nn_context *input_ctx,
    const cmsis_nn_context *output_ctx, const cmsis_nn_svdf_params *svdf_params,
    const cmsis_nn_per_tensor_quant_params *input_quant_params,
    const cmsis_nn_per_tensor_quant_params *output_quant_params, const cmsis_nn_dims *input_dims,
    const int8_t *input_data, const cmsis_nn_dims *state_dims, int16_t *state_data,
    const cmsis_nn_dims *weights_feature_dims, const int8_t *weights_feature_data,
    const cmsis_nn_dims *weights_time_dims, const int16_t *weights_time_data, const cmsis_nn_dims *bias_dims,
    const int32_t *bias_data, const cmsis_nn_dims *output_dims, int8_t *output_data);

#endif /* TINYC_NN_H */
