# SPDX-License-Identifier: Apache-2.0
"""Calls of the int8 convolution and fully connected functions, and what they must give, in NumPy."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from fixed_point import quantize_multiplier, requantize
from kernel_batch import Call, c_array

from tinyc.targets import load_target


@dataclass(frozen=True)
class Conv:
    """A convolution: NHWC input, filters [out][h][w][in / groups], or depthwise [h][w][out]."""

    x: np.ndarray
    w: np.ndarray
    bias: np.ndarray | None
    multiplier: np.ndarray
    shift: np.ndarray
    output: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    input_offset: int = 128
    output_offset: int = 0
    clamp: tuple[int, int] = (-128, 127)
    upscale: tuple[int, int] = (1, 1)
    depthwise: bool = False

    @property
    def channels(self) -> int:
        return self.w.shape[2] if self.depthwise else self.w.shape[0]

    @property
    def kernel(self) -> tuple[int, int]:
        return self.w.shape[:2] if self.depthwise else self.w.shape[1:3]

    @property
    def macs(self) -> int:
        """Multiply-accumulates, those on padding included."""
        outputs = self.x.shape[0] * self.output[0] * self.output[1] * self.channels
        return outputs * self.kernel[0] * self.kernel[1] * (1 if self.depthwise else self.w.shape[3])

    @property
    def input_dims(self) -> tuple[int, int, int, int]:
        n, h, w, c = self.x.shape
        return n, h * self.upscale[0], w * self.upscale[1], c


def finish(acc: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, offset: int, clamp) -> np.ndarray:
    """Accumulators [..., channel] to int8."""
    out = np.empty(acc.shape, np.int64)
    for c in range(acc.shape[-1]):
        out[..., c] = requantize(acc[..., c], int(multiplier[c]), int(shift[c]))
    return np.clip(out + offset, *clamp).astype(np.int8)


def expected_conv(p: Conv) -> np.ndarray:
    """Tap by tap over a padded copy of the input."""
    n, h, w, c = p.input_dims
    (kh, kw), (oh, ow), (sh, sw), (dh, dw) = p.kernel, p.output, p.stride, p.dilation
    high, wide = (oh - 1) * sh + (kh - 1) * dh + 1, (ow - 1) * sw + (kw - 1) * dw + 1
    x = np.zeros((n, max(h + p.pad[0], high), max(w + p.pad[1], wide), c), np.int64)
    inner = x[:, p.pad[0] : p.pad[0] + h, p.pad[1] : p.pad[1] + w]
    inner[:, :: p.upscale[0], :: p.upscale[1]] = p.x.astype(np.int64) + p.input_offset
    channels = p.channels
    acc = np.zeros((n, oh, ow, channels), np.int64) + (0 if p.bias is None else p.bias)
    for ky in range(kh):
        for kx in range(kw):
            rows, columns = slice(ky * dh, ky * dh + (oh - 1) * sh + 1, sh), kx * dw
            tap = x[:, rows, columns : columns + (ow - 1) * sw + 1 : sw]
            if p.depthwise:
                acc += np.repeat(tap, channels // c, axis=3) * p.w[ky, kx].astype(np.int64)
                continue
            depth = p.w.shape[3]
            per_group = channels // (c // depth)
            for g in range(c // depth):
                out = slice(g * per_group, (g + 1) * per_group)
                filters = p.w[out, ky, kx].astype(np.int64)
                acc[..., out] += tap[..., g * depth : (g + 1) * depth] @ filters.T
    return finish(acc, p.multiplier, p.shift, p.output_offset, p.clamp)


def variant(target_name: str) -> str:
    return load_target(target_name).variants[0]


def fast(target_name: str) -> tuple[str, ...]:
    """Flags for a program of many calls: with sanitizers, optimizing it takes much longer than running it."""
    return ("-O1",) if target_name == "host" else ()


def conv_scratch(p: Conv, function: str, target_name: str) -> int:
    """Bytes that CMSIS-NN's get_buffer_size reports for a function on a core."""
    mve = variant(target_name) == "mve"
    n, h, w, c = p.input_dims
    kh, kw = p.kernel
    gathered = 4 * -(-kh * kw * c // 16) * 16 if mve else 4 * (-(-kh * kw * c // 4) * 4)
    if function in ("convolve_1x1_s8_fast", "convolve_1x1_s8"):
        return 0
    if function == "convolve_1_x_n_s8" and mve:
        ow, sw, pad = p.output[1], p.stride[1], p.pad[1]
        odd = int(np.fmod((ow - 1) * sw + kw - w, 2))
        left, right = (max(1, -(-x // sw)) if x else 0 for x in (pad, pad + odd))
        if left + right > ow:
            return gathered
        return c * max(kw + pad, kw - 1 + (right if odd else pad))
    return gathered


def dw_scratch(p: Conv, function: str, target_name: str) -> int:
    kh, kw = p.kernel
    if function == "depthwise_conv_s8_opt":
        return {"dsp": 2 * kh * kw * p.x.shape[3], "mve": 4 * 124 * kh * kw}.get(variant(target_name), 0)
    return 0


def wrapped_conv(p: Conv) -> str:
    """The function that the convolution wrapper chooses."""
    plain = p.w.shape[3] == p.x.shape[3] and p.dilation[1] == 1
    if plain and p.kernel == (1, 1) and p.pad == (0, 0) and p.dilation[0] == 1:
        return "convolve_1x1_s8_fast" if p.stride == (1, 1) else "convolve_1x1_s8"
    if plain and p.x.shape[1] == 1 and p.kernel[0] == 1 and p.stride[1] * p.x.shape[3] % 4 == 0:
        return "convolve_1_x_n_s8"
    return "convolve_s8"


def wrapped_dw(p: Conv, target_name: str) -> str:
    """The function of CMSIS-NN that the depthwise wrapper stands for on a core."""
    if p.channels == p.x.shape[3] and p.x.shape[0] == 1 and p.dilation == (1, 1):
        if p.kernel == (3, 3) and max(p.pad) <= 1 and variant(target_name) != "mve":
            return "depthwise_conv_3x3_s8"
        return "depthwise_conv_s8_opt"
    return "depthwise_conv_s8"


def with_buffers(code: str) -> str:
    """Code with @0, @1, ... for the buffers, as Call wants it."""
    return re.sub(r"@(\d+)", r"{\1}", code.replace("{", "{{").replace("}", "}}"))


def _dims(values) -> str:
    return f"&(const cmsis_nn_dims){{{', '.join(str(int(v)) for v in values)}}}"


def _tile(hw) -> str:
    return f"{{{hw[1]}, {hw[0]}}}"


def conv_call(
    name: str, p: Conv, function: str, target_name: str, expected: np.ndarray | None = None, overlap=None
) -> Call:
    """A call of arm_<function> with exactly the scratch that its get_buffer_size reports, which is checked.

    overlap: the output lies this many bytes in front of the input, in one buffer.
    """
    wrapped = function.endswith("wrapper_s8")
    (n, h, w, c), (kh, kw), (oh, ow) = p.input_dims, p.kernel, p.output
    input_dims, output_dims = _dims((n, h, w, c)), _dims((n, oh, ow, p.channels))
    fields = f"{p.input_offset}, {p.output_offset}, "
    if p.depthwise:
        fields += f"{p.channels // c}, "
        filter_dims = _dims((1, kh, kw, p.channels))
        kind, chosen = "cmsis_nn_dw_conv_params", wrapped_dw(p, target_name) if wrapped else function
        scratch = dw_scratch(p, chosen, target_name)
        if wrapped and variant(target_name) == "mve" and c == 1 and p.channels > 1:
            as_conv = replace(p, w=np.moveaxis(p.w, 2, 0)[..., None], depthwise=False)
            scratch = conv_scratch(as_conv, wrapped_conv(as_conv), target_name) + p.w.size
    else:
        filter_dims = _dims((p.channels, kh, kw, p.w.shape[3]))
        kind = "cmsis_nn_conv_params"
        scratch = conv_scratch(p, wrapped_conv(p) if wrapped else function, target_name)
    fields += f"{_tile(p.stride)}, {_tile(p.pad)}, {_tile(p.dilation)}, {{{p.clamp[0]}, {p.clamp[1]}}}"
    sizes = {
        "convolve_s8": f"{input_dims}, {filter_dims}",
        "convolve_1x1_s8_fast": input_dims,
        "depthwise_conv_s8_opt": f"{input_dims}, {filter_dims}",
    }
    has_size = wrapped or function in sizes or function == "convolve_1_x_n_s8"
    size_arguments = sizes.get(function, f"&params, {input_dims}, {filter_dims}, {output_dims}")
    quant = f"{{(int32_t *)(uintptr_t){c_array('int32_t', p.multiplier)}, "
    quant += f"(int32_t *)(uintptr_t){c_array('int32_t', p.shift)}}}"
    bias = "NULL" if p.bias is None else c_array("int32_t", p.bias)
    upscale = ""
    if function == "convolve_s8":
        upscale = "NULL, " if p.upscale == (1, 1) else _dims((1, *p.upscale, 1)) + ", "
    source, dst = "@0", "@2"
    if overlap is not None:
        source, dst = f"(@0 + {overlap})", "@0"
    lines = [
        f"const {kind} params = {{{fields}}};",
        f"const cmsis_nn_per_channel_quant_params quant = {quant};",
    ]
    if has_size:
        lines.append(f"status = arm_{function}_get_buffer_size({size_arguments}) == {scratch} ? 0 : 99;")
    lines.append(f"const cmsis_nn_context context = {{{'@3' if scratch else 'NULL'}, {scratch}}};")
    lines.append(
        f"if (status == 0) status = arm_{function}(&context, &params, &quant, {input_dims}, {source}, "
        f"{filter_dims}, @1, {_dims((1, 1, 1, p.channels))}, {bias}, {upscale}{output_dims}, {dst});"
    )
    reference = expected_conv(p) if expected is None else expected
    result = np.full(reference.size, 0x55, np.int8)
    x = p.x.reshape(-1)
    if overlap is not None:
        x = np.concatenate([np.full(overlap, 77, np.int8), x])
        reference = np.concatenate([reference.reshape(-1), x[reference.size :]])
    buffers = (x, p.w.reshape(-1), result, np.zeros(-(-scratch // 4), np.int32))
    return Call(
        f"{function} {name}, {h}x{w}x{c} to {oh}x{ow}x{p.channels} by {kh}x{kw}",
        with_buffers("\n".join(lines)),
        buffers,
        0 if overlap is not None else 2,
        reference,
        macs=p.macs,
    )


def conv_functions(p: Conv) -> list[str]:
    """All functions that accept a convolution."""
    if p.depthwise:
        functions = ["depthwise_conv_wrapper_s8", "depthwise_conv_s8"]
        if p.channels == p.x.shape[3] and p.x.shape[0] == 1 and p.dilation == (1, 1):
            functions.append("depthwise_conv_s8_opt")
            if p.kernel == (3, 3) and max(p.pad) <= 1:
                functions.append("depthwise_conv_3x3_s8")
        return functions
    if p.upscale != (1, 1):
        return ["convolve_s8"]
    chosen = wrapped_conv(p)
    functions = ["convolve_wrapper_s8", "convolve_s8"]
    if chosen != "convolve_s8":
        functions.append(chosen)
    if chosen == "convolve_1x1_s8_fast":
        functions.append("convolve_1x1_s8")
    return functions


def random_quantization(rng: np.random.Generator, channels: int, depth: int) -> dict:
    """Scales that spread accumulators of this depth over the int8 range, and everything else at random."""
    quant = [
        quantize_multiplier(float(np.exp(rng.uniform(-3, 1)) / (600 * np.sqrt(depth))))
        for _ in range(channels)
    ]
    return {
        "bias": None if rng.random() < 0.2 else rng.integers(-(2**13), 2**13, channels).astype(np.int32),
        "multiplier": np.array([m for m, _ in quant], np.int32),
        "shift": np.array([s for _, s in quant], np.int32),
        "input_offset": int(rng.choice([128, -127, 0, int(rng.integers(-127, 129))])),
        "output_offset": int(rng.integers(-128, 128)),
        "clamp": (-128, 127)
        if rng.random() < 0.6
        else tuple(sorted(int(v) for v in rng.integers(-128, 128, 2))),
    }


def random_int8(rng: np.random.Generator, shape, extreme: bool = False) -> np.ndarray:
    if extreme:
        return rng.choice(np.array([-128, 127], np.int8), shape)
    return rng.integers(-128, 128, shape).astype(np.int8)
