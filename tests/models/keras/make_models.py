# SPDX-License-Identifier: Apache-2.0
"""Writes the Keras models of this folder: small networks with seeded weights, through tf2onnx.

    python make_models.py [name ...]

Needs tensorflow-cpu and tf2onnx; the tests read only the files. `<name>.<opset>.onnx` is a tf.function of a batch of
one through tf2onnx, where recurrent layers are loops; `<name>.export.onnx` is what Keras' own Model.export writes, with
LSTM and GRU, and with the batch left open.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from keras import layers

HERE = Path(__file__).parent
Builder = Callable[[], keras.Model]
MODELS: dict[str, tuple[Builder, tuple[int, ...]]] = {}  # builder, opsets


def model(*opsets: int) -> Callable[[Builder], Builder]:
    def add(builder: Builder) -> Builder:
        MODELS[builder.__name__] = (builder, opsets)
        return builder

    return add


def block(x: keras.KerasTensor, filters: int, stride: int = 1, activation: str = "relu6") -> keras.KerasTensor:
    """Depthwise and 1x1 convolution, each with batch normalization, as keras.applications writes them."""
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.DepthwiseConv2D(3, stride, "valid" if stride == 2 else "same", use_bias=False)(x)
    x = layers.Activation(activation)(layers.BatchNormalization()(x))
    x = layers.Conv2D(filters, 1, use_bias=False)(x)
    return layers.Activation(activation)(layers.BatchNormalization()(x))


@model(9, 15)
def lenet() -> keras.Model:
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(6, 5, padding="same", activation="tanh"), layers.AveragePooling2D(2),
        layers.Conv2D(12, 5, activation="tanh"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.3),
        layers.Dense(40, "sigmoid"), layers.Dense(10, "softmax")])


@model(7, 18)
def dense() -> keras.Model:
    return keras.Sequential([
        keras.Input((12,)), layers.Dense(32, "elu"), layers.Dense(24, "selu"), layers.Dense(16, "softplus"),
        layers.Dense(16, "softsign"), layers.Dense(8, "swish"), layers.Dense(5)])


@model(13, 17)
def mobilenet() -> keras.Model:
    image = keras.Input((33, 33, 3))
    x = layers.Rescaling(1 / 127.5, -1.0)(image)
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False)(x)
    x = layers.Activation("relu6")(layers.BatchNormalization()(x))
    for filters, stride in ((16, 1), (24, 2), (24, 1)):
        x = block(x, filters, stride)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Conv2D(7, 1)(x)
    return keras.Model(image, layers.Softmax()(layers.Reshape((7,))(x)))


@model(11, 17)
def mobilenet_v3() -> keras.Model:
    image = keras.Input((24, 24, 3))
    x = layers.Activation("hard_swish")(layers.Conv2D(8, 3, 2, "same")(image))
    y = block(x, 8, 1, "hard_swish")
    gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
    gate = layers.Conv2D(4, 1, activation="relu")(gate)
    gate = layers.Activation("hard_sigmoid")(layers.Conv2D(8, 1)(gate))
    y = layers.Add()([x, layers.Multiply()([y, gate])])
    return keras.Model(image, layers.Dense(6)(layers.Flatten()(block(y, 12, 2, "hard_swish"))))


@model(9, 17)
def resnet() -> keras.Model:
    image = keras.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    for filters, stride in ((8, 1), (16, 2)):
        y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, stride, "same")(x)))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
        if stride == 2:
            x = layers.Conv2D(filters, 1, stride, "same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.AveragePooling2D(8)(x)
    return keras.Model(image, layers.Dense(10, "softmax")(layers.Flatten()(x)))


@model(11, 17)
def inception() -> keras.Model:
    image = keras.Input((15, 15, 4))
    parts = [layers.Conv2D(4, 1, activation="relu")(image), layers.SeparableConv2D(6, 3, padding="same")(image),
             layers.Conv2D(5, 3, padding="same", dilation_rate=2, activation=layers.LeakyReLU(0.1))(image),
             layers.MaxPooling2D(3, 1, "same")(image)]
    x = layers.Concatenate()(parts)
    x = layers.PReLU(shared_axes=[1, 2])(layers.Cropping2D(((1, 2), (2, 1)))(x))
    return keras.Model(image, [layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])


@model(11, 17)
def unet() -> keras.Model:
    image = keras.Input((16, 16, 2))
    first = layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    low = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D(2)(first))
    lowest = layers.Conv2D(8, 3, 2, "same", activation="relu")(low)
    up = layers.Concatenate()([layers.UpSampling2D()(lowest), low])
    up = layers.Conv2DTranspose(6, 3, 2, "same", activation="relu")(up)
    up = layers.Add()([up, layers.UpSampling2D(interpolation="bilinear")(layers.Conv2D(6, 1)(low))])
    return keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(layers.Concatenate()([up, first])))


@model(9, 17)
def conv1d() -> keras.Model:
    series = keras.Input((64, 3))
    x = series
    for rate in (1, 2, 4):
        y = layers.Conv1D(8, 3, padding="causal", dilation_rate=rate, activation="relu")(x)
        x = y if x is series else layers.Add()([x, y])
    x = layers.Conv1D(6, 5, 2, activation="relu")(layers.LayerNormalization()(x))
    x = layers.MaxPooling1D(2)(layers.DepthwiseConv1D(3)(x))
    return keras.Model(series, layers.Dense(4, "softmax")(layers.GlobalAveragePooling1D()(x)))


@model(9, 17)
def lstm() -> keras.Model:
    return keras.Sequential([
        keras.Input((12, 5)), layers.LSTM(8, return_sequences=True), layers.LSTM(6), layers.Dense(3, "softmax")])


@model(10, 17)
def gru() -> keras.Model:
    return keras.Sequential([
        keras.Input((12, 5)), layers.Bidirectional(layers.GRU(7, return_sequences=True)),
        layers.GRU(6, reset_after=False, return_sequences=True), layers.TimeDistributed(layers.Dense(4, "relu")),
        layers.SimpleRNN(5), layers.Dense(3)])


@model(14, 18)
def attention() -> keras.Model:
    series = keras.Input((10, 8))
    x = layers.LayerNormalization()(series)
    x = layers.Add()([series, layers.MultiHeadAttention(2, 4)(x, x)])
    y = layers.Dense(16, lambda v: keras.activations.gelu(v, approximate=True))(layers.LayerNormalization()(x))
    return keras.Model(series, layers.Dense(3)(layers.Flatten()(layers.Add()([x, layers.Dense(8)(y)]))))


@model(11, 17)
def text() -> keras.Model:
    words = keras.Input((9,), dtype="int32")
    x = layers.Embedding(30, 6)(words)
    return keras.Model(words, layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(layers.LSTM(
        5, return_sequences=True)(x))))


@model(13, 17)
def permuted() -> keras.Model:
    image = keras.Input((6, 8, 3))
    x = layers.Permute((2, 1, 3))(image)
    x = layers.Reshape((8, 18))(x)
    x = layers.Dot(axes=2)([x, layers.Dense(18)(x)])
    x = layers.Lambda(lambda v: tf.math.l2_normalize(v, axis=-1))(x)
    return keras.Model(image, [layers.Maximum()([x, -x]), layers.UnitNormalization()(layers.RepeatVector(3)(
        layers.GlobalMaxPooling1D()(x)))])


@model(17)
def normalized() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"),
                             layers.GroupNormalization(2), layers.Flatten(), layers.Dense(3)])


def main() -> None:
    for name in sys.argv[1:] or MODELS:
        builder, opsets = MODELS[name]
        keras.utils.set_random_seed(1)
        made = builder()
        rng = np.random.default_rng(1)
        for weight in made.weights:  # batch normalizations that do something, biases that are not 0
            if weight.name in ("bias", "beta", "gamma", "moving_mean", "moving_variance", "alpha"):
                change = 0.3 * rng.standard_normal(weight.shape)
                weight.assign_add(np.abs(change) if weight.name == "moving_variance" else change)
        shape = [tf.TensorSpec((1, *i.shape[1:]), i.dtype, name="input") for i in made.inputs]
        function = tf.function(lambda x, made=made: made(x, training=False), input_signature=shape)
        for opset in opsets:
            path = HERE / f"{name}.{opset}.onnx"
            onnx.save(tf2onnx.convert.from_function(function, input_signature=shape, opset=opset)[0], path)
        made.export(HERE / f"{name}.export.onnx", format="onnx", verbose=False)


if __name__ == "__main__":
    main()
