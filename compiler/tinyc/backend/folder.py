# SPDX-License-Identifier: Apache-2.0
"""The output folder: written beside its place first, and moved there only when whole."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tinyc.errors import TinycError

REPORT = "report.json"
_HINT = "-o names a writable folder"


def write_folder(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Writes text files by their paths relative to the folder; one of them is report.json, which lists all.

    Files of a former run go, as its report.json lists them; anything else in the folder stays, and is never
    overwritten. Raises TinycError.
    """
    if folder.exists() and not folder.is_dir():
        raise TinycError(f"{folder} is a file", hint="-o names a folder")
    former = _files_of_former_run(folder)
    foreign = sorted(f for f in texts if os.path.lexists(folder / f) and f not in former)
    if foreign:
        raise TinycError(f"{folder / foreign[0]} exists and was not written by tinyc",
                         hint="-o names a folder of its own for the generated files")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".tinyc-", dir=folder.parent))
    except OSError as error:
        raise TinycError(f"cannot write beside {folder}: {error.strerror}", hint=_HINT) from None
    try:
        for relative, text in texts.items():
            path = temporary / "new" / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if folder.exists():
            _move_files(temporary, folder, list(texts), former)
        else:
            os.rename(temporary / "new", folder)
    except OSError as error:
        raise TinycError(f"cannot write {folder}: {error.strerror}", hint=_HINT) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return [folder / relative for relative in texts]


def _move_files(temporary: Path, folder: Path, new: list[str], former: set[str]) -> None:
    """Replaces the files of the former run by the new ones; after an error the former ones are back."""
    kept, moved = temporary / "former", list[str]()
    present = sorted(f for f in former if (folder / f).is_file())
    try:
        for relative in present:
            _rename(folder / relative, kept / relative)
        for relative in new:
            _rename(temporary / "new" / relative, folder / relative)
            moved.append(relative)
    except OSError:
        for relative in moved:
            (folder / relative).unlink(missing_ok=True)
        for relative in present:
            if (kept / relative).exists():
                os.replace(kept / relative, folder / relative)
        raise
    finally:
        for parent in sorted({p for f in (*former, *new) for p in (folder / f).parents if folder in p.parents},
                             reverse=True):
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _rename(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)


def _files_of_former_run(folder: Path) -> set[str]:
    """Files that a former compilation wrote, as its report lists them; only plain paths inside the folder."""
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        listed = report["files"] if {"schema", "entry", "header"} <= report.keys() else []
        inside = folder.resolve()
        return {f for f in listed if isinstance(f, str) and (inside / f).resolve().is_relative_to(inside)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()
