# SPDX-License-Identifier: Apache-2.0
"""`tinyc size` as a gate: budgets, baselines, and what it says about a change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinyc.backend.emit
import tinyc.backend.runtime
from checkout import DIGITS
from command_line import invoke, refuse, succeed
from small_models import residual_net
from tinyc.resources import runtime_dir

INT8 = DIGITS / "digits_int8.onnx"
M4 = ["--target", "cortex-m4"]


def test_sizes() -> None:
    sizes = succeed("size", INT8, *M4, "--json").json
    flash, ram = sizes["flash"], sizes["ram"]
    assert flash["weights"] + flash["code"] + flash["constants"] == flash["total"]
    assert ram["arena"] + ram["io"] + ram["state"] + ram["static"] == ram["total"]
    assert flash == succeed("profile", INT8, *M4, "--json").json["flash"]
    assert sizes["functions"]["digits_int8_run"] > 0
    assert any(name.startswith("tinyc1_") for name in sizes["functions"])
    assert sum(sizes["layers"].values()) == flash["weights"]


@pytest.mark.parametrize("what, limit", [("flash", 2000), ("ram", 500)])
def test_a_budget_that_is_exceeded(what: str, limit: int) -> None:
    outcome = invoke("size", INT8, *M4, "--budget", f"{what}={limit}", "--json")
    assert outcome.code == 1
    total = outcome.json[what]["total"]
    assert outcome.json["over_budget"] == [{"what": what, "bytes": total, "limit": limit, "excess": total - limit}]
    assert outcome.stderr.startswith("failed: ")
    assert f"{what} {total:,} bytes is {total - limit:,} over its budget of {limit:,}" in outcome.stderr


def test_budgets_that_hold() -> None:
    total = succeed("size", INT8, *M4, "--json").json["flash"]["total"]
    succeed("size", INT8, *M4, "--budget", f"flash={total},ram=20K")
    assert invoke("size", INT8, *M4, "--budget", f"flash={total - 1},ram=20K").code == 1
    succeed("size", INT8, *M4, "--budget", "flash=1M")


@pytest.fixture
def patched_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the runtime that may be changed."""
    copy = tmp_path / "runtime_c"
    shutil.copytree(runtime_dir(), copy)
    for module in (tinyc.backend.emit, tinyc.backend.runtime):
        monkeypatch.setattr(module, "runtime_dir", lambda: copy)
    tinyc.backend.runtime.manifest.cache_clear()
    yield copy
    tinyc.backend.runtime.manifest.cache_clear()


def test_a_larger_kernel_shows(patched_runtime: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "size.json"
    note = invoke("size", INT8, *M4, "--baseline", baseline, "--update").stderr
    assert "error" not in note
    same = succeed("size", INT8, *M4, "--baseline", baseline)
    assert "no change" in same.stdout

    source = patched_runtime / "src" / "pooling" / "arm_max_pool_s8.c"
    text = source.read_text()
    assert text.count("    return ARM_CMSIS_NN_SUCCESS;") == 1

    def enlarge(nops: int) -> None:
        source.write_text(text.replace(
            "    return ARM_CMSIS_NN_SUCCESS;",
            f'    __asm__ volatile(".rept {nops}\\n nop\\n .endr");\n    return ARM_CMSIS_NN_SUCCESS;'))

    # From one enlarged function to another, so that what the compiler does around the statement cancels.
    enlarge(50)
    succeed("size", INT8, *M4, "--baseline", baseline, "--update")
    enlarge(60)
    outcome = succeed("size", INT8, *M4, "--baseline", baseline, "--json").json
    (change,) = outcome["baseline"]["functions"]
    assert change["name"] == "tinyc1_arm_max_pool_s8" and change["delta"] == change["now"] - change["before"]
    assert change["delta"] == 20  # ten instructions of two bytes
    flash = {row["name"]: row["delta"] for row in outcome["baseline"]["flash"]}
    assert flash["code"] == flash["total"] == change["delta"]
    assert outcome["baseline"]["layers"] == outcome["baseline"]["ram"] == []
    printed = succeed("size", INT8, *M4, "--baseline", baseline).stdout
    assert f"function tinyc1_arm_max_pool_s8: {change['before']:,} -> {change['now']:,} (+{change['delta']})" in printed
    markdown = succeed("size", INT8, *M4, "--baseline", baseline, "--markdown", "--budget", "flash=1M").stdout
    assert f"| `tinyc1_arm_max_pool_s8` | {change['before']:,} | {change['now']:,} | +{change['delta']} |" in markdown
    assert markdown.startswith("### digits_int8 for cortex-m4") and "| flash total |" in markdown

    succeed("size", INT8, *M4, "--baseline", baseline, "--update")
    assert "no change" in succeed("size", INT8, *M4, "--baseline", baseline).stdout


def test_weights_show_per_layer(tmp_path: Path) -> None:
    """The same network with other layers: what each layer's weights take is compared by the layer's name."""
    baseline = tmp_path / "size.json"
    model = residual_net(tmp_path / "net.onnx", int8=True)
    succeed("size", model, *M4, "--baseline", baseline, "--update")
    data = json.loads(baseline.read_text())
    (entry,) = data["sizes"].values()
    name = next(layer for layer, size in entry["layers"].items() if size > 50)
    entry["layers"][name] -= 10
    baseline.write_text(json.dumps(data))
    rows = succeed("size", model, *M4, "--baseline", baseline, "--json").json["baseline"]["layers"]
    assert [(row["name"], row["delta"]) for row in rows] == [(name, 10)]


def test_a_baseline_keeps_targets_and_options_apart(tmp_path: Path) -> None:
    baseline = tmp_path / "size.json"
    succeed("size", INT8, *M4, "--baseline", baseline, "--update")
    other = succeed("size", INT8, "--target", "cortex-m0plus", "--baseline", baseline)
    assert "has no entry" in other.stderr
    succeed("size", INT8, "--target", "cortex-m0plus", "--baseline", baseline, "--update")
    succeed("size", INT8, *M4, "--optimize", "size", "--baseline", baseline, "--update")
    assert len(json.loads(baseline.read_text())["sizes"]) == 3
    assert "no change" in succeed("size", INT8, *M4, "--baseline", baseline).stdout


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 99, "sizes": {}}', '{"schema": 1, "sizes": {"a": {}}}',
                                  '{"schema": 1, "sizes": []}'])
def test_unusable_baselines(text: str, tmp_path: Path) -> None:
    (tmp_path / "size.json").write_text(text)
    refuse("size", INT8, *M4, "--baseline", tmp_path / "size.json")
    refuse("size", INT8, *M4, "--baseline", tmp_path / "size.json", "--update")
    assert (tmp_path / "size.json").read_text() == text


def test_target_without_emulator(tmp_path: Path) -> None:
    assert succeed("size", INT8, "--target", "cortex-m85", "--json").json["flash"]["code"] > 0
