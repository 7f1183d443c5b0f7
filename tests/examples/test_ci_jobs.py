# SPDX-License-Identifier: Apache-2.0
"""The size gate of the CI jobs in examples/ci: what they run, and what it says where code has grown."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from checkout import EXAMPLES, ROOT, tinyc

JOBS = sorted((EXAMPLES / "ci").glob("*.yml"))


def variables(job: Path) -> dict[str, str]:
    """MODEL, TARGET, BUDGET and BASELINE as the job sets them."""
    return dict(re.findall(r"^\s+([A-Z]+): (\S+)$", job.read_text(), re.M))


def size(job: Path, *words: object, root: Path = ROOT, code: int = 0) -> str:
    v = variables(job)
    command = re.search(r"tinyc size (.*--markdown)", job.read_text())
    assert command is not None
    arguments = [re.sub(r'^"\$([A-Z]+)"$', lambda m: v[m.group(1)], word) for word in command.group(1).split()]
    done = tinyc("size", *arguments, *words, root=root, code=code)
    return done.stdout + done.stderr


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.stem)
def test_job_passes(job: Path) -> None:
    text = size(job)
    assert "| flash total |" in text and "note:" not in text


def test_over_budget() -> None:
    text = size(JOBS[0], "--budget", "flash=4K,ram=1K", code=1)
    assert re.search(r"flash [\d,]+ bytes is [\d,]+ over its budget of 4,096", text)
    assert re.search(r"ram [\d,]+ bytes is [\d,]+ over its budget of 1,024", text)


def test_a_larger_kernel_shows(tmp_path: Path) -> None:
    for name in ("compiler", "runtime_c", "targets"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    kernel = tmp_path / "runtime_c" / "src" / "pooling" / "arm_max_pool_s8.c"
    text = kernel.read_text()
    at = text.index("{", text.index("arm_max_pool_s8("))
    growth = "\n    __asm__ volatile(\".rept 50\\n\\tnop\\n\\t.endr\");\n"
    kernel.write_text(text[: at + 1] + growth + text[at + 1:])
    found = re.search(r"\| `tinyc1_arm_max_pool_s8` \| [\d,]+ \| [\d,]+ \| \+([\d,]+) \|",
                      size(JOBS[0], root=tmp_path))
    assert found is not None and int(found.group(1)) >= 100
