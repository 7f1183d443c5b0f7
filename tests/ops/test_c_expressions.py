# SPDX-License-Identifier: Apache-2.0
"""The tables' C expressions compile without a warning and compute what their NumPy functions compute."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from tinyc.ir.types import DType
from tinyc.ops import elementwise, unary
from tinyc.ops.c_text import fill, float_literal
from tinyc.ops.reduce import ROWS as REDUCTIONS

FLAGS = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
SANITIZE = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
DTYPES = [DType.FLOAT32, DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.UINT32, DType.INT64, DType.BOOL]
UNARY = [(row, d) for row in unary.ROWS for d in DTYPES if row.template(d)]
BINARY = [(row, d) for row in elementwise.ROWS for d in DTYPES if row.template(d)]


def label(kind, row, dtype):
    return f"{kind}_{row.name}_{dtype.label}"


def unary_source(row, dtype):
    t, result = dtype.c_type, (row.result or dtype).c_type
    expression = fill(row.template(dtype), {"x": "x[i]"}, row.parameters, dtype)
    return (  # the cast as in generated loops
        f"void {label('u', row, dtype)}(const {t} *x, {result} *y, int n)\n"
        f"{{ for (int i = 0; i < n; i++) {{ y[i] = ({result})({expression}); }} }}\n"
    )


def binary_source(row, dtype):
    t, result = dtype.c_type, (row.result or dtype).c_type
    expression = fill(row.template(dtype), {"a": "a[i]", "b": "b[i]"}, {}, dtype)
    return (
        f"void {label('b', row, dtype)}(const {t} *a, const {t} *b, {result} *y, int n)\n"
        f"{{ for (int i = 0; i < n; i++) {{ y[i] = ({result})({expression}); }} }}\n"
    )


def reduction_source(row):
    step, end = row.c_step.format(acc="acc", x="x[i]"), row.c_end.format(acc="acc", count="(float)n")
    return (
        f"float r_{row.name}(const float *x, int n)\n"
        f"{{ float acc = x[0]; for (int i = 1; i < n; i++) {{ acc = {step}; }} return {end}; }}\n"
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if shutil.which("gcc") is None:
        pytest.fail("gcc is missing (Debian package gcc)")
    folder = tmp_path_factory.mktemp("expressions")
    source = "#include <math.h>\n#include <stdint.h>\n" + "".join(
        f"void {label(kind, row, d)}({'const ' + d.c_type + ' *a, ' if kind == 'b' else ''}"
        f"const {d.c_type} *b, {(getattr(row, 'result', None) or d).c_type} *y, int n);\n"
        for kind, rows in (("u", UNARY), ("b", BINARY))
        for row, d in rows
    )
    source += "".join(f"float r_{row.name}(const float *x, int n);\n" for row in REDUCTIONS)
    source += "".join(unary_source(*pair) for pair in UNARY) + "".join(binary_source(*pair) for pair in BINARY)
    source += "".join(reduction_source(row) for row in REDUCTIONS)
    (folder / "e.c").write_text(source)
    command = ["gcc", *FLAGS, *SANITIZE, "-shared", "-fPIC", "-o", folder / "e.so", folder / "e.c", "-lm", "-lubsan"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(folder / "e.so"))


def samples(dtype, seed):
    rng = np.random.default_rng(seed)
    if dtype is DType.BOOL:
        return rng.integers(0, 2, 64).astype(bool)
    if dtype.is_float:
        return rng.uniform(-3, 3, 64).astype(np.float32)
    low, high = dtype.limits
    edges = [low, high, 0, 1, low + 1, high - 1] + ([-1] if low else [])
    small = rng.integers(max(low, -20), 20, 64 - len(edges))
    return rng.permutation(np.array([*edges, *small], dtype.numpy))


def call(function, *arrays):
    function(*(ctypes.c_void_p(a.ctypes.data) for a in arrays), ctypes.c_int(arrays[0].size))


@pytest.mark.parametrize("row, dtype", UNARY, ids=lambda p: getattr(p, "name", ""))
def test_unary(library, row, dtype):
    x = samples(dtype, 1)
    y = np.empty(x.shape, (row.result or dtype).numpy)
    call(getattr(library, label("u", row, dtype)), x, y)
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64) if dtype.is_float else x
        want = np.asarray(row.function(wide, *row.parameters.values())).astype(y.dtype)
    np.testing.assert_allclose(y, want, 3e-6, 3e-6)


@pytest.mark.parametrize("row, dtype", BINARY, ids=lambda p: getattr(p, "name", ""))
def test_binary(library, row, dtype):
    a, b = samples(dtype, 1), samples(dtype, 2)
    if row.name == "Pow" and not dtype.is_float:  # a power that fits, for C leaves the others open
        a, b = np.clip(a, 0, 3), np.clip(b, 0, 4)
    y = np.empty(a.shape, (row.result or dtype).numpy)
    call(getattr(library, label("b", row, dtype)), a, b, y)
    with np.errstate(all="ignore"):
        want = np.asarray(row.function(a, b)).astype(y.dtype)
    np.testing.assert_allclose(y, want, 1e-5, 1e-5)


@pytest.mark.parametrize("row", REDUCTIONS, ids=lambda row: row.name)
def test_reductions(library, row):
    x = samples(DType.FLOAT32, 3)[:12]
    function = getattr(library, f"r_{row.name}")
    function.restype = ctypes.c_float
    got = function(ctypes.c_void_p(x.ctypes.data), ctypes.c_int(x.size))
    np.testing.assert_allclose(got, row.function(x, (0,), False), 1e-5, 1e-5)


@pytest.mark.parametrize("value", [0.0, 1.0, -2.0, 0.1, 1e-30, 3.4e38, 1 / 3, 1e10, -1e-7, 16777217.0])
def test_literals_read_back(value):
    text = float_literal(value)
    assert np.float32(text.strip("()").removesuffix("f")) == np.float32(value)
    assert text.strip("()").endswith("f") and any(c in text for c in ".e")


def test_literals_that_are_no_numbers():
    assert [float_literal(v) for v in (np.inf, -np.inf, np.nan)] == ["INFINITY", "(-INFINITY)", "NAN"]
