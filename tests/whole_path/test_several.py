# SPDX-License-Identifier: Apache-2.0
"""Several models in one folder, with one arena."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from checkout import DIGITS, files_below
from command_line import invoke, refuse, succeed
from small_models import residual_net, two_ports_net
from support import differences, with_numpy, with_onnxruntime
from tinyc.cases import Cases
from tinyc.compiler import Request, compile_model
from tinyc.several import place_arenas
from tinyc.targets import load_target
from tinyc.toolchain import Entry, Tensor, build, run
from tinyc.verification import run_cases

INT8, F32 = DIGITS / "digits_int8.onnx", DIGITS / "digits_f32.onnx"


def all_models(folder: Path) -> list[Path]:
    """The digits, and a network with branches."""
    return [INT8, F32, residual_net(folder / "branches.onnx", True, 5)]


WRAPPER = """
#include <string.h>
#include "models.h"
#include "wrapper.h"
/* All three in turn, and the first once more: what it computes does not depend on what the others left. */
int wrapper_run(void *arena, const float *image, const float *picture, float *a, float *b, float *c)
{
    float again[DIGITS_INT8_OUTPUT_ELEMENTS];
    int status = digits_int8_run(MODELS_DIGITS_INT8(arena), image, a);
    status = status != 0 ? status : digits_f32_run(MODELS_DIGITS_F32(arena), image, b);
    status = status != 0 ? status : branches_run(MODELS_BRANCHES(arena), picture, c);
    memcpy(DIGITS_INT8_INPUT(MODELS_DIGITS_INT8(arena)), image, sizeof(float) * DIGITS_INT8_INPUT_ELEMENTS);
    status = status != 0 ? status : digits_int8_run(MODELS_DIGITS_INT8(arena),
        DIGITS_INT8_INPUT(MODELS_DIGITS_INT8(arena)), again);
    return status != 0 ? status : memcmp(a, again, sizeof again) != 0;
}
"""


@pytest.mark.parametrize("concurrent", ([], ["--concurrent", "digits_f32,branches"]))
def test_run_in_turn_on_a_core(concurrent: list[str], tmp_path: Path) -> None:
    models = all_models(tmp_path)
    out = tmp_path / "out"
    report = succeed("compile", *models, "--target", "cortex-m4", "-o", out, "--json", *concurrent).json
    target = load_target("cortex-m4")
    alone = [compile_model(Request(m, target)) for m in models]
    bytes_ = [m.arena.bytes for m in alone]
    assert report["arena"]["bytes"] == (bytes_[1] + bytes_[2] if concurrent else max(bytes_))
    assert report == json.loads((out / "report.json").read_text())
    assert report["files"] == sorted(files_below(out))
    assert len(set(report["sources"])) == len(report["sources"])
    for one in alone:
        assert set(one.emitted.sources) <= set(report["sources"])

    (out / "wrapper.c").write_text(WRAPPER)
    ports = ["const float *image, const float *picture, float *a, float *b, float *c"]
    (out / "wrapper.h").write_text(f'#include "models.h"\nint wrapper_run(void *arena, {ports[0]});\n')
    tensors = [Tensor("float", p.elements, 4) for p in
               (alone[0].emitted.inputs[0], alone[2].emitted.inputs[0], *(m.emitted.outputs[0] for m in alone))]
    entry = Entry("wrapper", "wrapper.h", tuple(tensors[:2]), tuple(tensors[2:]), "MODELS_ARENA_BYTES")
    sources, folders = [out / s for s in (*report["sources"], "wrapper.c")], [out / d for d in report["include_dirs"]]
    elf = build(target, sources, folders, tmp_path / "all.elf", entry=entry, cflags=["-Wall", "-Werror"])
    rng = np.random.default_rng(1)
    shapes = [m.emitted.inputs[0].shape for m in (alone[0], alone[2])]
    cases = [[rng.normal(0, 1, s).astype(np.float32) for s in shapes] for _ in range(3)]
    result = run(elf, [[a.tobytes() for a in case] for case in cases])
    assert result.status == 0
    for k, model in enumerate(alone):
        inputs = [case[1 if k == 2 else 0] for case in cases]
        expected, _ = run_cases(model, Cases(tuple((i,) for i in inputs), None))
        for case, got, given in zip(expected, result.outputs, inputs, strict=True):
            assert got[k] == case[0].tobytes()
            name = model.emitted.inputs[0].name
            array = np.frombuffer(got[k], np.float32).reshape(case[0].shape)
            if k != 1:
                values = with_numpy(model, {model.graph.inputs[0]: given})
                assert array.tobytes() == next(iter(values.values())).tobytes()
            else:
                wanted = next(iter(with_onnxruntime(onnx.load(F32), {name: given}).values()))
                assert not differences({"y": array}, {"y": wanted}, 1e-4)


def test_places() -> None:
    def pairs(*of: tuple[int, int]) -> frozenset[tuple[int, int]]:
        return frozenset(p for a, b in of for p in ((a, b), (b, a)))

    assert place_arenas([10, 30, 20], [1, 1, 1], pairs()) == ((0, 0, 0), 30)
    assert place_arenas([10, 30, 20], [8, 8, 8], pairs((0, 1), (0, 2), (1, 2)))[1] == 66
    # 0 beside 1, 1 beside 2, 2 beside 3: the ends share.
    offsets, total = place_arenas([8, 16, 8, 16], [8] * 4, pairs((0, 1), (1, 2), (2, 3)))
    assert total == 24 and all(offsets[a] + s <= offsets[b] or offsets[b] + t <= offsets[a]
                               for a, b, s, t in ((0, 1, 8, 16), (1, 2, 16, 8), (2, 3, 8, 16)))
    assert place_arenas([5] * 7, [4] * 7, pairs(*((a, b) for a in range(7) for b in range(a))))[1] == 6 * 8 + 5


def test_refusals(tmp_path: Path) -> None:
    def refused(*words: object, folder: str = "out") -> str:
        message = refuse("compile", *words, "--target", "host", "-o", tmp_path / folder)
        assert not (tmp_path / folder).exists()
        return message

    copy = tmp_path / "copies"
    copy.mkdir()
    shutil.copy(INT8, copy / "digits_f32.onnx")
    shutil.copy(F32, copy / "digits-F32.onnx")
    assert "two models get the name 'digits_f32'" in refused(F32, copy / "digits_f32.onnx")
    assert "two models get the name 'digits_f32'" in refused(F32, copy / "digits-F32.onnx")
    assert "two models get the name" in refused(F32, F32)
    assert "names 'vad', which is none of the models" in refused(INT8, F32, "--concurrent", "digits_int8,vad")
    assert "two or more different" in refused(INT8, F32, "--concurrent", "digits_int8")
    assert "two or more different" in refused(INT8, F32, "--concurrent", "digits_int8,digits_int8")
    assert "--concurrent is about several" in refused(INT8, "--concurrent", "digits_int8,digits_f32")
    assert "is also that of one" in refused(INT8, F32, "--name", "digits_f32")
    assert "not usable as a C identifier" in refused(INT8, F32, "--name", "a b")
    assert "no file" in refused(INT8, tmp_path / "none.onnx")
    one, other = two_ports_net(copy / "net.onnx"), two_ports_net(copy / "net_input.onnx")
    assert invoke("compile", one, other, "--target", "host", "-o", tmp_path / "fine").code == 0
    # NET_INPUT_OK is both the input `ok` of net and the first result of net_input_run.
    model = onnx.load(one)
    for names in (model.graph.node[0].input, model.graph.node[1].input):
        names[:] = ["ok" if name == "left" else name for name in names]
    model.graph.input[0].name = "ok"
    onnx.save(model, one)
    assert "both define NET_INPUT_OK" in refused(one, other)


def test_set_of_models_replaces_a_former_run(tmp_path: Path) -> None:
    """Files of a former run in the same folder go, those of others stay."""
    out = tmp_path / "out"
    succeed("compile", INT8, F32, "--target", "host", "-o", out, "--name", "both")
    (out / "mine.txt").write_text("mine")
    assert (out / "both.h").exists()
    succeed("compile", F32, "--target", "host", "-o", out)
    assert not (out / "both.h").exists() and not (out / "digits_int8.c").exists()
    assert (out / "digits_f32.c").exists() and (out / "mine.txt").read_text() == "mine"
