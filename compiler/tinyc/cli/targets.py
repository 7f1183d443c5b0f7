# SPDX-License-Identifier: Apache-2.0
"""`tinyc targets`: the cores that can be compiled for."""

from __future__ import annotations

import typer

from tinyc.cli.options import JsonOption, print_json


def targets(json: JsonOption = False) -> None:
    """List the targets."""
    from tinyc.targets import list_targets

    found = list_targets()
    if json:
        print_json([
            {"name": t.name, "description": t.description, "family": t.family, "features": list(t.features),
             "variants": list(t.variants), "can_run": t.can_run,
             "machine": t.qemu.machine if t.qemu else None, "cflags": list(t.cflags)}
            for t in found
        ])
        return
    width = max(len(t.name) for t in found)
    for t in found:
        how = "runs natively" if t.family == "host" else f"QEMU {t.qemu.machine}" if t.qemu else "compiles only"
        typer.echo(f"{t.name:{width}}  {how:18}  {t.description}")
