# SPDX-License-Identifier: Apache-2.0
"""Runs a compiled model: written to a temporary folder, built with the target's tool chain, executed."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyc.backend.emit import Port
from tinyc.compiler import Compiled, write
from tinyc.errors import TinycError
from tinyc.toolchain import Elf, Entry, Tensor, build
from tinyc.toolchain.shadow import ShadowPlan

E_SHAPE = -4  # as in N.h


@contextlib.contextmanager
def written(compiled: Compiled) -> Iterator[Path]:
    """The model's files in a folder that lives as long as the context."""
    with tempfile.TemporaryDirectory(prefix="tinyc-") as folder:
        out = Path(folder) / compiled.name
        write(compiled, out)
        yield out


def entry_of(compiled: Compiled, slots: bool) -> Entry:
    """The generated function for the harness. `slots`: pass the arena's own slots, so that nothing is copied."""
    upper = compiled.name.upper()

    def tensor(port: Port) -> Tensor:
        in_arena = f"{port.macro}(arena)" if slots and compiled.arena.holds(port.buffer) else None
        return Tensor(port.dtype.c_type, port.elements, port.dtype.size, in_arena)

    emitted = compiled.emitted
    return Entry(compiled.name, f"{compiled.name}.h", tuple(tensor(p) for p in emitted.inputs),
                 tuple(tensor(p) for p in emitted.outputs), f"{upper}_ARENA_BYTES",
                 f"{compiled.name}_state_t" if emitted.state else None,
                 f"{upper}_ARENA_FAST_BYTES" if compiled.arena.fast is not None else None)


def dependencies(compiled: Compiled, folder: Path) -> tuple[list[Path], list[Path]]:
    """Include folders and archives that building the model in `folder` needs.

    Raises TinycError where the firmware's CMSIS-NN is among them and the user did not say where it is.
    """
    own = [folder / d for d in compiled.emitted.include_dirs]
    if compiled.request.kernels != "cmsis-nn":
        return own, []
    library = compiled.request.cmsis_nn
    if library is None:
        raise TinycError("--kernels cmsis-nn needs your CMSIS-NN library to build a program",
                         hint="name it with --cmsis-nn-include and --cmsis-nn-lib, or use tinyc compile")
    return [*own, library.include], [library.library]


def build_model(
    compiled: Compiled, folder: Path, *, slots: bool = False, profile: bool = False, sanitize: bool = False,
    extra_cflags: Sequence[str] = (), shadow: ShadowPlan | None = None,
) -> Elf:
    """An executable of the model in `folder` (as `written` gives it) with the test harness around it.

    shadow: for a shadow run; the files were generated with every buffer at addresses of its own.
    """
    include_dirs, libraries = dependencies(compiled, folder)
    marked = profile or (shadow is not None and compiled.request.target.family != "host")
    flags = [*extra_cflags, *([f"-D{compiled.name.upper()}_PROFILE"] if marked else [])]
    return build(
        compiled.request.target, [folder / s for s in compiled.emitted.sources], include_dirs,
        folder.parent / f"{compiled.name}.elf",
        entry=entry_of(compiled, slots), cflags=flags, optimize=compiled.request.optimize, sanitize=sanitize,
        libraries=libraries, shadow=shadow,
    )


def check_status(compiled: Compiled, status: int) -> None:
    """Raises TinycError where the model's function returned an error."""
    if status == E_SHAPE:
        raise TinycError(f"{compiled.name}_run returned {compiled.name.upper()}_E_SHAPE: an input that shapes "
                         "depend on does not fit the static shapes", hint="give inputs that do in --inputs X.npz")
    if status != 0:
        raise TinycError(f"{compiled.name}_run returned {status}", hint="see the header for its meaning")
