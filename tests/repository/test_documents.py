# SPDX-License-Identifier: Apache-2.0
"""What README.md and its fellows say is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from checkout import DIGITS, ROOT, environment, tinyc

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, section: str) -> list[str]:
    """The code blocks of a section, as they stand."""
    text = README.split(f"## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def table(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    text = README.split(f"## {section}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return rows[1:]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the commands of the walk-through have run."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "examples").symlink_to(ROOT / "examples")
    commands = [line for block in blocks("sh", "Compile and embed") for line in block.splitlines()]
    assert [c.split()[1] for c in commands] == ["compile", "verify", "size"]
    for command in commands:
        tinyc(*command.split()[1:], cwd=folder)
    return folder


def test_walk_through_compiles_for_the_target(walk: Path) -> None:
    (code,) = blocks("c", "Compile and embed")
    (walk / "classify.c").write_text(code)
    flags = "-mcpu=cortex-m4 -mthumb -std=c99 -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror".split()
    flags.append("-Wno-missing-prototypes")
    command = ["arm-none-eabi-gcc", *flags, "-I", "build/digits", "-c", "classify.c", "-o", "classify.o"]
    subprocess.run(command, cwd=walk, check=True)


def test_walk_through_classifies(tmp_path: Path) -> None:
    """The same C around the model for the host, on the test split."""
    (code,) = blocks("c", "Compile and embed")
    tinyc("compile", DIGITS / "digits_int8.onnx", "--target", "host", "--name", "digits", "-o", tmp_path / "digits")
    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\n" + code + "int main(void)\n{\n    float image[DIGITS_INPUT_ELEMENTS];\n"
        "    while (fread(image, sizeof image, 1, stdin) == 1) {\n        printf(\"%d\\n\", classify(image));\n    }\n"
        "    return 0;\n}\n"
    )
    sources = [str(p) for p in sorted((tmp_path / "digits").rglob("*.c"))]
    includes = ["-Idigits", "-Idigits/tinyc/include", "-Idigits/tinyc/src/common"]
    command = ["gcc", "-std=c99", "-O2", *includes, "main.c", *sources, "-lm", "-o", "classify"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with np.load(DIGITS / "digits_test.npz") as split:
        images, labels = split["input"], split["label"]
    done = subprocess.run([tmp_path / "classify"], input=images.tobytes(), capture_output=True, check=True)
    assert (np.array([int(line) for line in done.stdout.split()]) == labels).mean() > 0.98


def test_targets() -> None:
    listed = [line.split() for line in tinyc("targets").stdout.splitlines()]
    names = {line[0] for line in listed}
    assert {target["name"] for target in json.loads(tinyc("targets", "--json").stdout)} == names
    runs = {line[0]: " ".join(line[1:3]) for line in listed}
    assert {name.strip("`"): where for name, where in table("Targets")} == runs


def test_commands() -> None:
    documented = [re.match(r"`tinyc (\w+)", row[0]) for row in table("Commands")]
    shown = re.findall(r"^│ (\w+)  ", tinyc("--help").stdout.split("Commands")[1], re.M)
    assert [match.group(1) for match in documented if match] == shown
    for row in table("Commands"):
        command = re.match(r"`tinyc (\w+)", row[0])
        assert command is not None
        page = tinyc(command.group(1), "--help").stdout
        for option in re.findall(r"--[a-z][a-z-]+", " ".join(row)):
            assert option in page, f"{command.group(1)} has no {option}"


def test_make_targets() -> None:
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, env=environment(), capture_output=True, text=True,
                           check=True).stdout
    have = set(re.findall(r"make ([a-z-]+)", shown))
    documents = README + (ROOT / "DESIGN.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`?make ([a-z][a-z-]+)", documents)) - {"run"} <= have
    assert "exec make test" in (ROOT / ".ci" / "run").read_text()


def test_links() -> None:
    for document in ROOT.glob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (ROOT / link).exists(), f"{document.name}: {link}"


def test_version_is_in_the_changelog() -> None:
    version = tinyc("--version").stdout.split()[-1]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_licence_lines() -> None:
    kinds = {".py", ".c", ".h", ".S", ".toml", ".ld", ".j2", ".sh", ".yml", ".cmake"}
    missing = []
    for top in ("compiler", "runtime_c", "targets", "tests", "examples", "scripts"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in kinds and "build" not in path.parts and "golden" not in path.parts:
                if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8")[:400]:
                    missing.append(str(path.relative_to(ROOT)))
    assert not missing
