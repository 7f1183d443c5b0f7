# SPDX-License-Identifier: Apache-2.0
"""The arena over time as a picture: an SVG, and an HTML page around it that needs nothing else."""

from __future__ import annotations

import html
import unicodedata
from dataclasses import dataclass

from tinyc.backend.program import Program
from tinyc.plan.arena import Arena, Placed

_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 16, 34, 96  # pixels around the plot
_HEIGHT = 420
_FILL = {"input": "#2f7ed8", "output": "#2e9e5b", "activation": "#8fa8d6", "scratch": "#e0a030"}
_OTHER_FILL = "#a9bfa4"  # of every other activation, so that neighbours can be told apart


@dataclass(frozen=True)
class _Bar:
    """A buffer as it is shown: what it is, and the sentence about it."""

    placed: Placed
    kind: str
    label: str
    text: str


def escaped(text: str) -> str:
    """A name from the model for XML and HTML: no markup, nothing that XML forbids or that reorders text."""
    plain = "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp") else c for c in text)
    return html.escape(plain, quote=True)


def _bars(program: Program, arena: Arena) -> list[_Bar]:
    names = [s.name for s in program.steps]
    bars = []
    for b in arena.buffers:
        value = program.buffers[b.name].value
        kind = ("input" if b.name in program.inputs else "output" if b.name in program.outputs
                else "activation" if value else "scratch")
        label = value or f"scratch of {names[b.first] if b.first < len(names) else b.name}"
        when = f"layer {b.first}" if b.first == b.last else f"layers {b.first} to {b.last}"
        text = f"{label} ({kind}, {b.name}): {b.bytes:,} bytes at {b.offset:,}, {when}"
        bars.append(_Bar(b, kind, label, text))
    return bars


def _tick(largest: int) -> int:
    """Bytes between the lines of the scale: a power of two, at most eight of them."""
    step = 1
    while largest / step > 8:
        step *= 2
    return step


def arena_svg(program: Program, arena: Arena) -> str:
    """One bar a buffer: time from left to right, offsets from the bottom up. Bars that overlap share bytes."""
    steps = max(1, len(program.steps))
    unit = min(80, max(8, 960 // steps))
    width = _LEFT + unit * steps + _RIGHT + 150
    largest = max(arena.bytes, arena.bound, 1)
    scale = _HEIGHT / (largest * 1.06)
    base = _TOP + _HEIGHT

    def x(step: int) -> int:
        return _LEFT + unit * step

    def y(offset: float) -> str:
        return f"{base - offset * scale:.1f}"

    right = x(steps)
    total = _TOP + _HEIGHT + _BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" height="{total}" '
        'font-family="sans-serif" font-size="11">',
        f"<title>{escaped(program.name)}: {arena.bytes:,} bytes of arena over {len(program.steps)} layers</title>",
        f'<rect x="0" y="0" width="{width}" height="{total}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="18" font-size="14" font-weight="bold">{escaped(program.name)}: the arena over time'
        "</text>",
    ]
    tick = _tick(largest)
    for offset in range(0, int(largest * 1.06) + 1, tick):
        lines += [f'<line x1="{_LEFT}" x2="{right}" y1="{y(offset)}" y2="{y(offset)}" stroke="#e4e4e4"/>',
                  f'<text x="{_LEFT - 6}" y="{y(offset)}" dy="4" text-anchor="end" fill="#555">{offset:,}</text>']
    every = max(1, -(-14 // unit))
    for step in range(0, steps, every):
        name = escaped(f"{step} {program.steps[step].op}" if step < len(program.steps) else "")
        at = x(step) + unit / 2
        lines.append(f'<text transform="translate({at:.0f},{base + 8}) rotate(60)" fill="#555" dy="4">{name}</text>')
    for k, bar in enumerate(_bars(program, arena)):
        b = bar.placed
        colour = _OTHER_FILL if bar.kind == "activation" and k % 2 else _FILL[bar.kind]
        wide = unit * (b.last - b.first + 1) - 2
        high = max(b.bytes * scale, 1.0)
        top = base - b.offset * scale - high
        lines.append(f'<g class="bar" data-text="{escaped(bar.text)}"><title>{escaped(bar.text)}</title>'
                     f'<rect x="{x(b.first) + 1}" y="{top:.1f}" width="{wide}" height="{high:.1f}" '
                     f'fill="{colour}" fill-opacity="0.62" stroke="#26304a" stroke-opacity="0.75"/>')
        # Where the next bar may begin to lie over this one there is no room; the tables tell what a short name means.
        room = int((min(wide, unit) - 8) / 6.5)
        short = bar.label if len(bar.label) <= room else b.name
        if high >= 14 and len(short) <= room:
            lines.append(f'<text x="{x(b.first) + 5}" y="{top + 12:.1f}" pointer-events="none">{escaped(short)}</text>')
        lines.append("</g>")
    marks = [(arena.bytes, "#c0202a", "", f"peak {arena.bytes:,}")]
    if arena.bound != arena.bytes:
        marks.append((arena.bound, "#5a2ca0", ' stroke-dasharray="6 4"', f"live-set bound {arena.bound:,}"))
    else:
        marks[0] = (arena.bytes, "#c0202a", "", f"peak = live-set bound {arena.bytes:,}")
    for value, colour, dashes, text in marks:
        lines += [f'<line x1="{_LEFT}" x2="{right}" y1="{y(value)}" y2="{y(value)}" stroke="{colour}" '
                  f'stroke-width="1.5"{dashes}/>',
                  f'<text x="{right + 6}" y="{y(value)}" dy="4" fill="{colour}">{text}</text>']
    for k, (kind, colour) in enumerate(_FILL.items()):
        lines += [f'<rect x="{right + 8}" y="{base - 70 + 18 * k}" width="11" height="11" fill="{colour}" '
                  'fill-opacity="0.62" stroke="#26304a"/>',
                  f'<text x="{right + 25}" y="{base - 60 + 18 * k}">{kind}</text>']
    lines += [f'<line x1="{_LEFT}" x2="{right}" y1="{base}" y2="{base}" stroke="#333"/>',
              f'<text transform="translate(14,{_TOP + _HEIGHT // 2}) rotate(-90)" text-anchor="middle" '
              'fill="#555">offset in bytes</text>', "</svg>"]
    return "\n".join(lines) + "\n"


_STYLE = """body { font: 14px sans-serif; margin: 24px; color: #1c2230; background: #fff; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 28px; }
.plot { overflow-x: auto; border: 1px solid #ddd; }
#about { min-height: 1.4em; margin: 8px 0; font-weight: bold; overflow-wrap: anywhere; }
.bar:hover rect { fill-opacity: 0.95; stroke-width: 2; }
table { border-collapse: collapse; } td, th { padding: 2px 10px; border-bottom: 1px solid #e4e4e4; text-align: left;
white-space: nowrap; } td.n, th.n { text-align: right; } td.w { white-space: normal; overflow-wrap: anywhere; }"""

_SCRIPT = """var about = document.getElementById("about");
document.querySelectorAll(".bar").forEach(function (bar) {
  bar.addEventListener("mouseenter", function () { about.textContent = bar.getAttribute("data-text"); });
});"""


def _live(arena: Arena, step: int) -> int:
    """Bytes of the buffers that live at a step, overlaps counted twice."""
    return sum(b.bytes for b in arena.buffers if b.first <= step <= b.last)


def arena_page(program: Program, arena: Arena, target: str) -> str:
    """A page with the picture, and tables of layers and buffers. Nothing is loaded from elsewhere."""

    def row(cells: list[tuple[str, str]], tag: str = "td") -> str:
        """cells: (text, class): "n" a number, "w" a name that may be long."""
        cell = "".join(f'<{tag} class="{kind or "t"}">{escaped(text)}</{tag}>' for text, kind in cells)
        return f"<tr>{cell}</tr>"

    proven = "proven optimal" if arena.proven_optimal else "not proven optimal"
    layers = [row([("", "n"), ("layer", ""), ("operator", ""), ("kernel", ""), ("live bytes", "n")], "th")]
    layers += [row([(str(s.index), "n"), (s.name, "w"), (s.op, ""), (s.kernel, ""),
                    (f"{_live(arena, s.index):,}", "n")]) for s in program.steps]
    buffers = [row([("buffer", ""), ("tensor", ""), ("kind", ""), ("bytes", "n"), ("offset", "n"), ("layers", "n")],
                   "th")]
    buffers += [row([(bar.placed.name, ""), (bar.label, "w"), (bar.kind, ""), (f"{bar.placed.bytes:,}", "n"),
                     (f"{bar.placed.offset:,}", "n"), (f"{bar.placed.first} to {bar.placed.last}", "n")])
                for part in (arena, arena.fast) if part for bar in _bars(program, part)]
    name = escaped(program.name)
    return "\n".join([
        '<!DOCTYPE html>', '<html lang="en">', '<head>', '<meta charset="utf-8">', f"<title>{name}</title>",
        f"<style>{_STYLE}</style>", "</head>", "<body>", f"<h1>{name} on {escaped(target)}</h1>",
        f"<p>Arena: {arena.bytes:,} bytes, {proven}. Live-set bound, without overlaps: {arena.bound:,} bytes. "
        "Bars that overlap share bytes: a result runs over an operand that is no longer needed there.</p>",
        '<p id="about">Point at a bar.</p>', '<div class="plot">', arena_svg(program, arena).rstrip(), "</div>",
        *(["<h2>In the faster memory</h2>", '<div class="plot">', arena_svg(program, arena.fast).rstrip(), "</div>"]
          if arena.fast else []),
        "<h2>Layers</h2>", "<table>", *layers, "</table>", "<h2>Buffers</h2>", "<table>", *buffers, "</table>",
        f"<script>{_SCRIPT}</script>", "</body>", "</html>", "",
    ])
