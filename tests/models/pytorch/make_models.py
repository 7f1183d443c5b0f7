# SPDX-License-Identifier: Apache-2.0
"""Writes the PyTorch models of this folder: small networks with seeded weights, by both ONNX exporters.

    python make_models.py [name ...]

Needs torch, onnx and onnxscript; the tests read only the files. `<name>.script.onnx` is the exporter of
torch.jit (dynamo=False), `<name>.dynamo.onnx` that of torch.export (dynamo=True).
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).parent
OPSET = {"script": 17, "dynamo": 20}

MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {}


def model(name: str, *shape: int) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Class decorator: a model by name, with the shape of its input."""

    def add(cls: type[nn.Module]) -> type[nn.Module]:
        MODELS[name] = (cls, shape)
        return cls

    return add


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1,
         activation: nn.Module | None = None) -> nn.Sequential:
    """Convolution, batch normalization and, unless it is None, an activation."""
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
              nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([activation] if activation else []))


@model("lenet", 1, 1, 20, 20)
class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 12, 5), nn.Tanh(),
                                      nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(48, 40), nn.Tanh(), nn.Dropout(), nn.Linear(40, 10))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


@model("mobilenet_v1", 1, 3, 24, 24)
class MobileNetV1(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        plan = [(8, 16, 1), (16, 24, 2), (24, 32, 1), (32, 48, 2)]
        layers: list[nn.Module] = [conv(3, 8, 3, 2, activation=nn.ReLU())]
        for inputs, outputs, stride in plan:
            layers += [conv(inputs, inputs, 3, stride, inputs, nn.ReLU()),
                       conv(inputs, outputs, 1, activation=nn.ReLU())]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 10), nn.Softmax(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = inputs * expand
        self.skip = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(conv(inputs, wide, 1, activation=nn.ReLU6()),
                                    conv(wide, wide, 3, stride, wide, nn.ReLU6()), conv(wide, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.skip else self.layers(x)


@model("mobilenet_v2", 1, 3, 24, 24)
class MobileNetV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv(3, 8, 3, 2, activation=nn.ReLU6()), InvertedResidual(8, 8, 1, 3), InvertedResidual(8, 12, 2, 3),
            InvertedResidual(12, 12, 1, 3), InvertedResidual(12, 16, 2, 3), conv(16, 40, 1, activation=nn.ReLU6()))
        self.classifier = nn.Linear(40, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x).mean((2, 3)))


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, gate: nn.Module) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        scale = functional.adaptive_avg_pool2d(x, 1)
        return x * self.gate(self.expand(functional.relu(self.reduce(scale))))


@model("mobilenet_v3", 1, 3, 24, 24)
class MobileNetV3(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 8, 3, 2, activation=nn.Hardswish())
        self.first = nn.Sequential(conv(8, 16, 1, activation=nn.ReLU()), conv(16, 16, 3, 2, 16, nn.ReLU()),
                                   SqueezeExcite(16, nn.Hardsigmoid()), conv(16, 12, 1))
        self.second = nn.Sequential(conv(12, 32, 1, activation=nn.Hardswish()), conv(32, 32, 5, 1, 32, nn.Hardswish()),
                                    SqueezeExcite(32, nn.Hardsigmoid()), conv(32, 12, 1))
        self.head = nn.Sequential(conv(12, 40, 1, activation=nn.Hardswish()), nn.AdaptiveAvgPool2d(1))
        self.classifier = nn.Sequential(nn.Linear(40, 32), nn.Hardswish(), nn.Linear(32, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.stem(x))
        return self.classifier(self.head(x + self.second(x)).flatten(1))


class Residual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.one = conv(inputs, outputs, 3, stride, activation=nn.ReLU())
        self.two = conv(outputs, outputs)
        self.shortcut = nn.Identity() if inputs == outputs and stride == 1 else conv(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.two(self.one(x)) + self.shortcut(x))


@model("resnet", 1, 3, 16, 16)
class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(3, 8, activation=nn.ReLU()), nn.MaxPool2d(3, 2, 1), Residual(8, 8, 1),
                                    Residual(8, 12, 2), Residual(12, 16, 2), nn.AdaptiveAvgPool2d((1, 1)))
        self.classifier = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.layers(x), 1))


class UNet(nn.Module):
    """Two levels; `up` brings a level to twice its size."""

    def __init__(self, up: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.down = nn.ModuleList([conv(1, 8, activation=nn.ReLU()), conv(8, 12, activation=nn.ReLU())])
        self.bottom = conv(12, 16, activation=nn.ReLU())
        self.up = nn.ModuleList([up(16, 12), up(12, 8)])
        self.joined = nn.ModuleList([conv(24, 12, activation=nn.ReLU()), conv(16, 8, activation=nn.ReLU())])
        self.result = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for up, joined, skip in zip(self.up, self.joined, reversed(skips), strict=True):
            x = joined(torch.cat([up(x), skip], 1))
        return torch.sigmoid(self.result(x))


@model("unet_transpose", 1, 1, 16, 16)
class UNetTranspose(UNet):
    def __init__(self) -> None:
        super().__init__(lambda inputs, outputs: nn.ConvTranspose2d(inputs, outputs, 2, 2))


@model("unet_resize", 1, 1, 16, 16)
class UNetResize(UNet):
    def __init__(self) -> None:
        modes = iter(("nearest", "bilinear"))

        def up(inputs: int, outputs: int) -> nn.Module:
            return nn.Sequential(nn.Upsample(scale_factor=2.0, mode=next(modes)), nn.Conv2d(inputs, outputs, 1))

        super().__init__(up)


@model("lstm", 1, 12, 10)
class Lstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.classifier = nn.LSTM(10, 20, num_layers=2, batch_first=True), nn.Linear(20, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.lstm(x)[0][:, -1])


@model("gru", 1, 12, 10)
class Gru(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru, self.classifier = nn.GRU(10, 16, batch_first=True, bidirectional=True), nn.Linear(32, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.gru(x)[0])


class Temporal(nn.Module):
    """Causal dilated convolutions with a skip around them."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.one, self.two = (nn.Conv1d(i, outputs, 3, dilation=dilation) for i in (inputs, outputs))
        self.skip = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.past = 2 * dilation

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.one(functional.pad(x, (self.past, 0))))
        y = functional.relu(self.two(functional.pad(y, (self.past, 0))))
        return functional.relu(y + self.skip(x))


@model("tcn", 1, 4, 32)
class Tcn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(Temporal(4, 12, 1), Temporal(12, 12, 2), Temporal(12, 16, 4))
        self.classifier = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x)[:, :, -1])


@model("transformer", 1, 10, 16)
class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True)
        self.classifier = nn.Linear(16, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.encoder(x).mean(1))


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, t, width = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, self.size).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(-2, -1) * self.size**-0.5, -1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, t, width))


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, 2)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.one(x))
        return x + self.mlp(self.two(x))


@model("vit", 1, 1, 16, 16)
class ViT(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(1, 16, 4, 4)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 17, 16) * 0.3)
        self.blocks, self.norm = nn.Sequential(Block(16), Block(16)), nn.LayerNorm(16)
        self.classifier = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place
        return self.classifier(self.norm(self.blocks(x))[:, 0])


@model("yolo", 1, 3, 32, 32)
class Yolo(nn.Module):
    """Two scales, a top-down path, boxes decoded in the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 8, 3, 2, activation=nn.SiLU()), conv(8, 12, 3, 2, activation=nn.SiLU()))
        self.fine, self.coarse = conv(12, 16, 3, 2, activation=nn.SiLU()), conv(16, 24, 3, 2, activation=nn.SiLU())
        self.lateral = conv(40, 16, 1, activation=nn.SiLU())
        self.heads = nn.ModuleList([nn.Conv2d(16, 8, 1), nn.Conv2d(24, 8, 1)])
        for k, size in enumerate((4, 2)):
            y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
            self.register_buffer(f"grid{k}", torch.stack([x, y]).reshape(1, 2, -1).float())

    def decode(self, x: Tensor, grid: Tensor, stride: float) -> Tensor:
        x = torch.sigmoid(x.flatten(2))
        centre = (x[:, :2] * 2.0 - 0.5 + grid) * stride
        size = (x[:, 2:4] * 2.0) ** 2 * stride
        return torch.cat([centre, size, x[:, 4:] * 32.0], 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(self.stem(x))
        coarse = self.coarse(fine)
        fine = self.lateral(torch.cat([functional.interpolate(coarse, scale_factor=2.0, mode="nearest"), fine], 1))
        parts = [self.decode(head(level), grid, stride) for head, level, grid, stride in
                 zip(self.heads, (fine, coarse), (self.grid0, self.grid1), (8.0, 16.0), strict=True)]
        return torch.cat(parts, 2).transpose(1, 2)


@model("squeeze_excite", 1, 3, 16, 16)
class SqueezeExciteNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(3, 12, 3, 2, activation=nn.PReLU(12)), SqueezeExcite(12, nn.Sigmoid()),
                                    conv(12, 16, 3, 2, activation=nn.ELU()), SqueezeExcite(16, nn.Sigmoid()))
        self.classifier = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return functional.log_softmax(self.classifier(self.layers(x).amax((2, 3))), 1)


@model("autoencoder", 1, 1, 16, 16)
class AutoEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(8, 16, 3, 2, 1),
                                     nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(256, 12))
        self.spread = nn.Linear(12, 256)
        self.decoder = nn.Sequential(nn.ConvTranspose2d(16, 8, 3, 2, 1, 1), nn.LeakyReLU(0.1),
                                     nn.ConvTranspose2d(8, 1, 4, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.decoder(self.spread(self.encoder(x)).reshape(-1, 16, 4, 4)))


@model("mlp", 1, 24)
class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.randn(24) * 0.2)
        self.register_buffer("deviation", torch.rand(24) + 0.5)
        self.layers = nn.Sequential(nn.Linear(24, 48), nn.GELU(), nn.BatchNorm1d(48), nn.Linear(48, 40), nn.Softplus(),
                                    nn.Linear(40, 24), nn.Mish(), nn.Linear(24, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers((x - self.mean) / self.deviation)


@model("kws", 1, 10, 49)
class Kws(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(10, 24, 5, 2, 2), nn.BatchNorm1d(24), nn.ReLU(), nn.MaxPool1d(2),
                                    nn.Conv1d(24, 24, 3, padding=1, groups=24), nn.Conv1d(24, 32, 1), nn.ReLU(),
                                    nn.AvgPool1d(3, 2, 1, ceil_mode=True, count_include_pad=True),
                                    nn.Conv1d(32, 32, 3, padding=2, dilation=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1))
        self.classifier = nn.Linear(32, 12)

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.classifier(self.layers(x).squeeze(-1)), -1)


@model("crnn", 1, 1, 16, 24)
class Crnn(nn.Module):
    """Convolutions, then a recurrent layer along the width."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(conv(1, 8, activation=nn.ReLU()), nn.MaxPool2d(2),
                                      conv(8, 12, activation=nn.ReLU()), nn.MaxPool2d((4, 2)))
        self.rnn, self.classifier = nn.GRU(24, 16), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        x = x.permute(3, 0, 1, 2).flatten(2)
        return functional.log_softmax(self.classifier(self.rnn(x)[0]), 2)


@model("densenet", 1, 3, 16, 16)
class DenseNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, 2, 1)
        self.blocks = nn.ModuleList([nn.Sequential(nn.BatchNorm2d(12 + 8 * k), nn.ReLU(),
                                                   nn.Conv2d(12 + 8 * k, 8, 3, padding=1)) for k in range(4)])
        self.transition = nn.Sequential(nn.BatchNorm2d(44), nn.ReLU(), nn.Conv2d(44, 20, 1), nn.AvgPool2d(2))
        self.classifier = nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = torch.cat([x, block(x)], 1)
        return self.classifier(self.transition(x).mean([2, 3]))


class Shuffle(nn.Module):
    """Half of the channels go through convolutions, then the halves are interleaved."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.layers = nn.Sequential(conv(half, half, 1, activation=nn.ReLU()), conv(half, half, 3, 1, half),
                                    conv(half, half, 1, activation=nn.ReLU()))

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, 1)
        x = torch.cat([left, self.layers(right)], 1)
        n, c, h, w = x.shape
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


@model("shufflenet", 1, 3, 16, 16)
class ShuffleNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(3, 24, 3, 2, activation=nn.ReLU()), Shuffle(24), Shuffle(24),
                                    conv(24, 32, 3, 2, 8, nn.ReLU()), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x))


@model("group_norm", 1, 3, 16, 16)
class GroupNormNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.GroupNorm(3, 12), nn.SiLU(),
                                    nn.Conv2d(12, 16, 3, 1, 1), nn.InstanceNorm2d(16, affine=True), nn.ReLU(),
                                    nn.ReflectionPad2d(1), nn.Conv2d(16, 16, 3, 2))
        self.classifier = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(functional.normalize(self.layers(x).mean((2, 3)), dim=1) * 4.0)


class FakeQuantized(nn.Module):
    """A network as after quantization-aware training: the rounding is part of it."""

    low, high, per_channel = 0, 255, True

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.last = nn.Linear(96, 8)
        self.steps = {layer: float(layer.weight.abs().max()) / 127 for layer in (self.one, self.two, self.last)}

    def rounded(self, x: Tensor, low: float, high: float) -> Tensor:
        """Activations in the range from low to high."""
        scale = (high - low) / (self.high - self.low)
        return torch.fake_quantize_per_tensor_affine(x, scale, self.low - round(low / scale), self.low, self.high)

    def filters(self, layer: nn.Module) -> Tensor:
        w = layer.weight.detach()
        if not self.per_channel:
            return torch.fake_quantize_per_tensor_affine(w, self.steps[layer], 0, -128, 127)
        scale = w.flatten(1).abs().amax(1) / 127
        zero = torch.zeros(len(scale), dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(w, scale, zero, 0, -128, 127)

    def forward(self, x: Tensor) -> Tensor:
        x = self.rounded(x, -2.5, 2.5)
        x = self.rounded(functional.relu(functional.conv2d(x, self.filters(self.one), self.one.bias, 1, 1)), 0.0, 1.8)
        y = functional.conv2d(x, self.filters(self.two), self.two.bias, 1, 1, groups=6)
        x = self.rounded(x + self.rounded(functional.hardtanh(y, 0.0, 6.0), 0.0, 1.0), 0.0, 2.2)
        x = functional.avg_pool2d(x, 2).flatten(1)
        return self.rounded(functional.linear(x, self.filters(self.last), self.last.bias), -0.7, 0.9)


@model("trained_uint8", 1, 1, 8, 8)
class FakeQuantizedUnsigned(FakeQuantized):
    pass


@model("trained_int8", 1, 1, 8, 8)
class FakeQuantizedSigned(FakeQuantized):
    low, high, per_channel = -128, 127, False


@model("trained_7bit", 1, 1, 8, 8)
class FakeQuantizedReduced(FakeQuantized):
    low, high = 0, 127


def build(name: str) -> tuple[nn.Module, Tensor]:
    """The model in evaluation mode, with seeded weights and statistics, and an input."""
    torch.manual_seed(sorted(MODELS).index(name))
    cls, shape = MODELS[name]
    network = cls()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.3, 1.0)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.normal_(0.0, 0.1)
    return network.eval(), torch.randn(shape)


def export(name: str, exporter: str) -> Path:
    """Writes one file."""
    network, example = build(name)
    path = HERE / f"{name}.{exporter}.onnx"
    with torch.no_grad():
        torch.onnx.export(network, (example,), path, dynamo=exporter == "dynamo", opset_version=OPSET[exporter],
                          input_names=["input"], output_names=["output"],
                          **({"external_data": False, "verbose": False} if exporter == "dynamo" else {}))
    proto = onnx.load(path)
    for node in proto.graph.node:  # stack traces and such, with paths of this machine
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        del value.metadata_props[:]
    del proto.metadata_props[:], proto.graph.metadata_props[:]
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
    return path


def main(names: list[str]) -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.backends.mha.set_fastpath_enabled(False)  # it has no ONNX form
    for name in names or MODELS:
        for exporter in ("script", "dynamo"):
            path = export(name, exporter)
            print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
