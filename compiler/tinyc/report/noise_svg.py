# SPDX-License-Identifier: Apache-2.0
"""The signal-to-noise ratio of a model's layers as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from tinyc.evaluation import LayerNoise
from tinyc.report.picture import escaped

_LEFT, _WIDTH, _ROW, _TOP = 300, 420, 20, 48
_FILL = {"int8": "#2f7ed8", "int16": "#2e9e5b", "float": "#b0b0b0"}


def noise_svg(layers: Sequence[LayerNoise], title: str) -> str:
    """One bar a layer, in order of execution; the lowest in red. Above 100 dB bars end."""
    worst = min((layer.decibels for layer in layers), default=0.0)
    most = max([10.0, *(min(layer.decibels, 100.0) for layer in layers)])
    height = _TOP + _ROW * len(layers) + 16
    width = _LEFT + _WIDTH + 90
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
             'font-size="12">', f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             f'<text x="12" y="22" font-size="14">{escaped(title)}</text>',
             f'<text x="{_LEFT}" y="40" fill="#606060">signal-to-noise ratio of each layer, dB</text>']
    for k, layer in enumerate(layers):
        y = _TOP + _ROW * k
        length = max(1.0, _WIDTH * min(max(layer.decibels, 0.0), 100.0) / most)
        fill = "#c03030" if layer.decibels == worst else _FILL.get(layer.scheme, "#8fa8d6")
        name = layer.name if len(layer.name) <= 36 else f"...{layer.name[-33:]}"
        lines += [f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escaped(name)}</text>',
                  f'<rect x="{_LEFT}" y="{y + 3}" width="{length:.1f}" height="{_ROW - 6}" fill="{fill}">'
                  f'<title>{escaped(f"{layer.name}: {layer.op}, {layer.scheme}")}</title></rect>',
                  f'<text x="{_LEFT + length + 6:.1f}" y="{y + 14}">{layer.decibels:.1f}</text>']
    return "\n".join([*lines, "</svg>"]) + "\n"
