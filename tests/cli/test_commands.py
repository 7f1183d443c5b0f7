# SPDX-License-Identifier: Apache-2.0
"""What each command prints: the results on stdout, the keys of --json, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkout import DIGITS, environment
from command_line import invoke, refuse, succeed
from small_models import residual_net, two_ports_net
from tinyc.targets import list_targets

INT8 = DIGITS / "digits_int8.onnx"
FLOAT = DIGITS / "digits_f32.onnx"


def test_help_imports_nothing_heavy() -> None:
    """`tinyc --help` has to be quick; what takes long is importing."""
    code = ("import sys\nfrom tinyc.cli.app import run\nassert run(['--help']) == 0\n"
            "print([m for m in ('onnx', 'onnxruntime', 'ortools', 'networkx', 'numpy', 'jinja2') if m in sys.modules], "
            "file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage: tinyc" in done.stdout


def test_help_of_every_command() -> None:
    page = succeed("--help").stdout
    for command in ("compile", "verify", "profile", "size", "inspect", "targets", "ops"):
        assert command in page
        own = succeed(command, "--help").stdout
        assert "--json" in own
        if command in ("compile", "verify", "profile", "size"):
            for option in ("--target", "--name", "--optimize", "--kernels", "--io", "--io-dtype", "--dim",
                           "--require-integer", "--dump-after", "--strict-memory"):
                assert option in own, (command, option)
    assert succeed("--version").stdout.startswith("tinyc ")


def test_exit_code_of_the_process() -> None:
    done = subprocess.run([sys.executable, "-m", "tinyc", "compile", "missing.onnx", "-t", "host"], env=environment(),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and "\nhint: " in done.stderr and done.stdout == ""


def keys(value: dict[str, Any]) -> set[str]:
    return set(value)


@pytest.mark.parametrize("io", ["arena", "caller"])
def test_compile_json_is_report_json(io: str, tmp_path: Path) -> None:
    report = succeed("compile", INT8, "--target", "cortex-m4", "--io", io, "-o", tmp_path / "out", "--json").json
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    assert keys(report) >= {"schema", "model", "target", "options", "entry", "header", "inputs", "outputs", "arena",
                            "state_bytes", "weights_bytes", "layers", "buffers", "sources", "include_dirs", "cflags"}
    assert keys(report["model"]) >= {"name", "sha256", "macs", "parameters"}
    assert report["target"] == "cortex-m4" and report["options"]["io"] == io
    assert (report["entry"], report["header"]) == ("digits_int8_run", "digits_int8.h")
    for port in (*report["inputs"], *report["outputs"]):
        assert keys(port) >= {"name", "c_name", "dtype", "shape", "scale", "zero_point"}
    assert report["inputs"][0]["name"] == "image" and report["inputs"][0]["shape"] == [1, 1, 8, 8]
    assert keys(report["arena"]) >= {"bytes", "align", "io", "live_set_bound", "proven_optimal"}
    assert keys(report["layers"][0]) >= {"index", "name", "op", "kernel", "macs", "filter_bytes", "weights_bytes",
                                         "scratch_bytes", "inputs", "outputs"}
    assert sum(layer["macs"] for layer in report["layers"]) == report["model"]["macs"] == 84_224
    assert sum(layer["weights_bytes"] for layer in report["layers"]) == report["weights_bytes"]
    for buffer in report["buffers"]:
        assert keys(buffer) >= {"name", "offset", "bytes", "first", "last"}
        assert buffer["offset"] + buffer["bytes"] <= report["arena"]["bytes"]
    for source in report["sources"]:
        assert (tmp_path / "out" / source).is_file()
    on_disk = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert on_disk == set(report["files"])


def test_compile_text(tmp_path: Path) -> None:
    outcome = succeed("compile", FLOAT, "--target", "host", "--name", "Digits", "-o", tmp_path / "out")
    assert "digits_run in digits.h" in outcome.stdout and "arena" in outcome.stdout
    assert (tmp_path / "out" / "digits.h").is_file()


def test_dump_after(tmp_path: Path) -> None:
    outcome = succeed("compile", INT8, "--target", "host", "--dump-after", "qdq-to-integer", "-o", tmp_path / "out")
    assert "Conv" in outcome.stderr and "Conv" not in outcome.stdout


def test_verify_json() -> None:
    report = succeed("verify", INT8, "--target", "cortex-m4", "--json").json
    assert report["passed"] is True and report["cases"] == 4
    (output,) = report["outputs"]
    assert keys(output) >= {"name", "bit_exact_cases", "mismatched_elements", "elements", "max_abs_error"}
    assert (output["name"], output["elements"], output["mismatched_elements"]) == ("logits", 40, 0)


def test_verify_against_onnxruntime_and_given_outputs(tmp_path: Path) -> None:
    """A float model is compared with onnxruntime, or with what the .npz has; a mismatch is exit code 1."""
    assert succeed("verify", FLOAT, "--target", "host", "--json").json["reference"] == "onnxruntime"
    ports = two_ports_net(tmp_path / "ports.onnx")
    left, right = np.arange(8, dtype=np.float32).reshape(2, 4), np.ones((2, 4), np.float32)
    arrays = {"in:left": left, "in:right": right, "out:sum": left + right, "out:product": left * (left + right)}
    np.savez(tmp_path / "good.npz", **arrays)
    report = succeed("verify", ports, "--target", "host", "--inputs", tmp_path / "good.npz", "--json").json
    assert report["reference"] == "npz" and report["cases"] == 2
    arrays["out:product"][1, 2] += 1
    np.savez(tmp_path / "bad.npz", **arrays)
    outcome = invoke("verify", ports, "--target", "host", "--inputs", tmp_path / "bad.npz", "--json")
    assert outcome.code == 1 and outcome.stderr.startswith("failed: ")
    assert outcome.json["passed"] is False
    assert [o["mismatched_elements"] for o in outcome.json["outputs"]] == [0, 1]
    assert [o["bit_exact_cases"] for o in outcome.json["outputs"]] == [2, 1]
    text = invoke("verify", ports, "--target", "host", "--inputs", tmp_path / "bad.npz")
    assert text.code == 1 and "product: 1 of 2 cases bit-exact, 1 of 8 elements" in text.stdout
    assert "FAILED" in text.stdout
    tolerant = ["--tolerance", "0.1"]
    assert invoke("verify", ports, "--target", "host", "--inputs", tmp_path / "bad.npz", *tolerant).code == 0


def test_verify_names_the_first_layer_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tinyc.verification as verification

    model = residual_net(tmp_path / "net.onnx", int8=True)
    outcome = succeed("verify", model, "--target", "cortex-m4", "--layers", "--json").json
    assert outcome["passed"] and outcome["first_difference"] is None
    right = verification.run_cases

    def wrong_on_the_target(compiled: Any, cases: Any, sanitize: bool = False) -> Any:
        outputs, unaligned = right(compiled, cases, sanitize)
        names = [p.name for p in compiled.emitted.outputs]
        if compiled.request.target.name == "cortex-m4" and len(names) > 1:
            first = names.index(next(n.outputs[0] for n in compiled.graph.nodes() if n.op == "Add"))
            outputs = [(*case[:first], *(o ^ 1 if o.dtype == np.int8 else o for o in case[first:]))
                       for case in outputs]
        return outputs, unaligned

    monkeypatch.setattr(verification, "run_cases", wrong_on_the_target)
    outcome = invoke("verify", model, "--target", "cortex-m4", "--layers", "--json")
    assert outcome.code == 1
    assert (outcome.json["first_difference"]["op"], outcome.json["first_difference"]["target"]) == ("Add", "cortex-m4")


def test_profile_json() -> None:
    report = succeed("profile", INT8, "--target", "cortex-m4", "--json").json
    assert keys(report) >= {"instructions", "cycles", "layers", "flash", "ram"}
    assert keys(report["flash"]) == {"weights", "code", "constants", "total"}
    assert keys(report["ram"]) == {"arena", "io", "state", "static", "stack", "total"}
    for memory in ("flash", "ram"):
        parts = {k: v for k, v in report[memory].items() if k != "total"}
        assert sum(parts.values()) == report[memory]["total"]
    assert keys(report["layers"][0]) >= {"index", "name", "op", "kernel", "macs", "instructions", "cycles"}
    for layer in report["layers"]:
        assert keys(layer) >= {"loads", "stores", "multiplies", "cycles", "cycle_shares"}
        assert layer["cycles"] == sum(layer["cycle_shares"].values()) >= layer["instructions"]
        assert layer["multiplies"] < layer["instructions"] > layer["loads"] / 8
    assert report["cycles_are"] == "estimated" and report["wait_states"] == 0
    assert sum(layer["cycles"] for layer in report["layers"]) <= report["cycles"] < 3 * report["instructions"]
    counted = sum(layer["instructions"] for layer in report["layers"])
    assert 0 < counted <= report["instructions"] < counted + 200
    assert report["ram"]["stack"] > 0 and report["ram"]["io"] == 0


def test_profile_is_repeatable_and_says_io(tmp_path: Path) -> None:
    words = ["profile", INT8, "--target", "cortex-m0plus", "--io", "caller", "--json"]
    first = succeed(*words).json
    assert first == succeed(*words).json
    assert first["ram"]["io"] == 64 * 4 + 10 * 4


def test_wait_states_cost_cycles_and_no_instructions() -> None:
    words = ["profile", INT8, "--target", "cortex-m4", "--json"]
    without, some, more = (succeed(*words, "--wait-states", str(n)).json for n in (0, 5, 10))
    assert without["instructions"] == some["instructions"] == more["instructions"]
    assert without["cycles"] < some["cycles"] < more["cycles"]
    assert all(layer["cycle_shares"]["flash"] == 0 for layer in without["layers"])
    assert more["wait_states"] == 10
    board = succeed("profile", INT8, "--target", "stm32l4r5", "--json").json
    assert board["wait_states"] == 5 and board["instructions"] == without["instructions"]


def test_profile_without_timings() -> None:
    report = succeed("profile", INT8, "--target", "host", "--json").json
    assert report["cycles"] is None and report["layers"][0]["cycles"] is None
    assert "cycles" not in succeed("profile", INT8, "--target", "host").stdout
    assert "cycles are not estimated for host" in refuse("profile", INT8, "--target", "host", "--wait-states", "1")


def test_profile_table_fits_120_columns() -> None:
    text = succeed("profile", INT8, "--target", "cortex-m4").stdout
    head, first = text.splitlines()[:2]
    assert head.split() == ["kernel", "MACs", "instr.", "/MAC", "loads", "stores", "mult.", "~cycles", "bound", "by",
                            "flash"]
    assert first.split()[0] == "0" and max(map(len, text.splitlines())) <= 120
    assert "(estimated, 0 wait states of the flash)" in text


def test_profile_text() -> None:
    text = succeed("profile", FLOAT, "--target", "riscv32imac").stdout
    assert "instructions " in text and "flash weights" in text and "conv2d_f32" in text


def test_inspect() -> None:
    facts = succeed("inspect", INT8, "--json").json
    assert facts["macs"] == 84_224 and facts["unsupported"] == []
    assert facts["inputs"] == [{"name": "image", "dtype": "float32", "shape": [1, 1, 8, 8]}]
    assert facts["operators"]["Conv"] == 2
    text = succeed("inspect", FLOAT).stdout
    assert "84,224 MACs" in text and "Conv" in text


def test_inspect_says_what_is_unsupported_and_why(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    nodes = [helper.make_node("NonZero", ["x"], ["i"], name="where"), helper.make_node("Frob", ["x"], ["y"], name="f")]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    facts = succeed("inspect", tmp_path / "m.onnx", "--json").json
    assert any("f" in problem["node"] and problem["reason"] for problem in facts["unsupported"])
    assert "unsupported:" in succeed("inspect", tmp_path / "m.onnx").stdout


def test_targets_and_ops() -> None:
    listed = succeed("targets", "--json").json
    assert [t["name"] for t in listed] == [t.name for t in list_targets()]
    assert {"cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m23", "cortex-m33",
            "cortex-m55", "cortex-m85", "riscv32imac", "host"} <= {t["name"] for t in listed}
    assert not next(t for t in listed if t["name"] == "cortex-m85")["can_run"]
    text = succeed("targets").stdout
    assert all(t["name"] in text for t in listed)
    operators = succeed("ops", "--json").json["operators"]
    assert {"Conv", "Gemm", "MatMul", "Add", "Softmax", "QuantizeLinear"} <= set(operators)
    assert succeed("ops").stdout.split() == operators


def test_a_target_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text(
        'base = "cortex-m4"\nname = "my-board"\n[[memories]]\nname = "flash"\nkind = "flash"\nbytes = 4096\n'
        '[[memories]]\nname = "ram"\nkind = "ram"\nbytes = 512\n')
    outcome = succeed("verify", INT8, "--target", tmp_path / "board.toml")
    assert "my-board" in outcome.stdout and outcome.stderr.count("warning:") == 2
