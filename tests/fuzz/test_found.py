# SPDX-License-Identifier: Apache-2.0
"""What random graphs found, as small as it gets."""

from __future__ import annotations

import numpy as np
from fuzz_reference import tensor_info
from onnx import helper

from support import Const, Model, Q, compile_proto, differences, execute, with_numpy, with_onnxruntime

RNG = np.random.default_rng(5)


def test_real_operators() -> None:
    model = Model("found", opset=20)
    half = np.array([567, 1879, 277], np.float16)
    image = RNG.standard_normal((1, 2, 3, 5)).astype(np.float32)
    places = RNG.uniform(-1.1, 1.1, (1, 4, 3, 2)).astype(np.float32)
    model.plain("is_inf", "IsInf", np.array([1.0, np.inf, -np.inf, 0.0]), detect_negative=0)
    model.plain("scalar_transpose", "Transpose", Const(np.float32(3)))
    model.plain("scalar_expand", "Expand", Const(np.float32(3)), Const(np.zeros(0, np.int64)))
    model.plain("cubic_border", "GridSample", image, places, mode="cubic", padding_mode="border")
    model.plain("half_norm", "ReduceL2", half)
    model.plain("integer_norm", "ReduceL2", np.array([3, 5], np.int32))
    model.plain("integer_log", "ReduceLogSum", np.array([3, 50], np.int32))
    model.plain("real_power", "Pow", np.array([3, 4, 5, 2], np.int64), np.array([2.95, 1.5, 0.5, 2.4], np.float32))
    model.plain("moved", "Transpose", (3, 4, 2, 2), perm=[2, 1, 3, 0])
    model.plain("instances", "InstanceNormalization", "moved_y", Const(np.ones(4, np.float32)),
                Const(np.zeros(4, np.float32)))
    model.outputs.remove("moved_y")
    proto = model.proto()
    got = execute(compile_proto(proto), model.inputs)
    assert not differences(got, with_onnxruntime(proto, model.inputs), 1e-4)


def test_int16_results_of_int8_operands() -> None:
    """A selection whose result is quantized to another type has no integer form; nor is int8 put in between."""
    model = Model("wider", opset=21)
    stored = model.dequantized(model.const("stored", RNG.integers(-99, 99, (4, 3)).astype(np.int8)), 0.02, 0)
    wide = model.dequantized(model.const("wide", RNG.integers(-9999, 9999, (4, 3)).astype(np.int16)), 0.0002, 0,
                             np.int16)
    for name, value in (("a", stored), ("b", wide), ("c", model._operand("c", 0, Q((4, 3))))):
        bounds = [model.const(f"{name}_bound{k}", np.array([v])) for k, v in enumerate((0, 2))]
        model.node("Slice", [value, *bounds], [f"{name}_cut"])
        model.outputs.append(model.quantized(f"{name}_cut", f"{name}_y", 0.0003, 0, np.int16))
    model.node("ReduceL1", [model._operand("d", 0, Q((3, 1)))], ["d_sum"])
    model.outputs.append(model.quantized("d_sum", "d_y", 0.0001, 0, np.int16))
    proto = model.proto()
    compiled = compile_proto(proto)
    got = execute(compiled, model.inputs)
    assert not differences(got, with_numpy(compiled, model.inputs), 0)
    assert not differences(got, with_onnxruntime(proto, model.inputs), 0)


def test_keys_that_are_the_queries() -> None:
    """The result may lie on the queries, but not where they are the keys as well."""
    model = Model("attention", opset=17)
    rows = RNG.standard_normal((2, 3, 8)).astype(np.float32)
    model.inputs |= {"rows": rows, "values": RNG.standard_normal((2, 3, 8)).astype(np.float32)}
    model.node("MultiHeadAttention", ["rows", "rows", "values"], ["y"], num_heads=2, domain="com.microsoft")
    proto = helper.make_model(
        helper.make_graph(model.nodes, "attention", [tensor_info(n, a) for n, a in model.inputs.items()],
                          [tensor_info("y", rows)]),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8)
    got = execute(compile_proto(proto), model.inputs)
    assert not differences(got, with_onnxruntime(proto, model.inputs), 1e-4)


def test_two_views_of_a_quantized_constant() -> None:
    """A Reshape behind a Transpose of one constant; and a cubic Resize whose result leaves the input's range."""
    model = Model("views", opset=13)
    stored = model.dequantized(model.const("stored", RNG.integers(-99, 99, (1, 2, 3, 2)).astype(np.int8)), 0.01, 0)
    model.node("Einsum", [model._operand("q", 0, Q((1, 2, 3, 2))), stored], ["products"], equation="bhid,bhjd->bhij")
    model.outputs.append(model.quantized("products", "y", 0.05, 0))
    scales = model.const("scales", np.array([1, 1, 2, 3], np.float32))
    model.node("Resize", [model._operand("image", 0, Q((1, 2, 4, 5))), "", scales], ["larger"], mode="cubic")
    model.outputs.append(model.quantized("larger", "larger_y", 0.08, 0))
    proto = model.proto()
    got, want = execute(compile_proto(proto), model.inputs), with_onnxruntime(proto, model.inputs)
    assert max(int(np.abs(got[n].astype(int) - want[n]).max()) for n in want) <= 1


def test_one_element_by_pytorch_half_pixel() -> None:
    """It is the first, also where scale times extent lies above 1."""
    model = Model("half_pixel", opset=13)
    model.plain("c", "Resize", (1, 1, 2, 3), None, Const(np.array([1, 1, 1, 0.5], np.float32)), mode="nearest",
                coordinate_transformation_mode="pytorch_half_pixel", nearest_mode="round_prefer_ceil")
    proto = model.proto()
    assert not differences(execute(compile_proto(proto), model.inputs), with_onnxruntime(proto, model.inputs), 1e-6)


def test_two_quantizations_of_one_value() -> None:
    """Neither range holds the other: none is computed from the other."""
    model = Model("twice", opset=13)
    image = RNG.standard_normal((1, 2, 3, 4)).astype(np.float32)
    model.inputs["image"] = image
    model.node("MaxPool", ["image"], ["largest"], kernel_shape=[2, 2])
    model.outputs += [model.quantized("largest", "a", 0.004, -128), model.quantized("largest", "b", 0.004, 0)]
    proto = model.proto()
    assert not differences(execute(compile_proto(proto), model.inputs), with_onnxruntime(proto, model.inputs), 0)


def test_a_quantizer_that_cuts_off_serves_nobody_else() -> None:
    """Erf gives -1 to 1; one reader wants it up to 0.4, the MatMul wants all."""
    model = Model("cut_off", opset=13)
    model.inputs["x"] = RNG.uniform(-3, 3, (5, 6)).astype(np.float32)
    model.node("Erf", ["x"], ["erf"])
    model.outputs.append(model.quantized("erf", "cut", 0.0055, 54))
    weights = model._operand("w", 0, Q((6, 3), 0.02, const=True))
    model.node("MatMul", ["erf", weights], ["product"])
    model.outputs.append(model.quantized("product", "y", 0.05, 0))
    proto = model.proto()
    got = execute(compile_proto(proto), model.inputs)
    assert not differences(got, with_onnxruntime(proto, model.inputs), 1)


def test_steps_lie_where_float32_puts_them() -> None:
    """85 * 0.023529412 is 2 in float32, and a little more in float64."""
    model = Model("steps", opset=13)
    model.inputs["x"] = np.arange(-128, 128).astype(np.int8)
    model.dequantized("x", 0.0235294122248888, -1)
    for op in ("Ceil", "Floor"):
        model.node(op, ["x_real"], [f"{op}_float"])
        model.outputs.append(model.quantized(f"{op}_float", f"{op}_y", 0.0706, 0))
    proto = model.proto()
    got = execute(compile_proto(proto), model.inputs)
    assert not differences(got, with_onnxruntime(proto, model.inputs), 0)
