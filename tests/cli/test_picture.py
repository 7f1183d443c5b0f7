# SPDX-License-Identifier: Apache-2.0
"""`tinyc compile --report`: the arena as a picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import onnx

from checkout import DIGITS
from command_line import succeed
from small_models import residual_net

SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """What a browser would see: elements with attributes, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_one_bar_a_buffer(tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = succeed("compile", residual_net(tmp_path / "net.onnx", True), "--target", "cortex-m4", "-o", out,
                     "--report", "--json").json
    assert {"net_arena.html", "net_arena.svg"} <= set(report["files"])
    root = ElementTree.parse(out / "net_arena.svg").getroot()
    bars = [g for g in root.iter(f"{SVG}g") if g.get("class") == "bar"]
    assert len(bars) == len(report["buffers"])
    lines = {line.get("y1"): line for line in root.iter(f"{SVG}line")}
    texts = [t.text or "" for t in root.iter(f"{SVG}text")]
    arena = report["arena"]
    assert any(f"{arena['bytes']:,}" in t and "peak" in t for t in texts)
    assert any(f"bound {arena['live_set_bound']:,}" in t for t in texts)
    # Heights and places are in proportion to bytes and offsets.
    rects = [bar.find(f"{SVG}rect") for bar in bars]
    peak = float(next(line.get("y1") for line in lines.values() if line.get("stroke") == "#c0202a"))
    base = max(float(line.get("y1")) for line in root.iter(f"{SVG}line"))
    scale = (base - peak) / arena["bytes"]
    for rect, buffer, bar in zip(rects, report["buffers"], bars, strict=True):
        bottom = float(rect.get("y")) + float(rect.get("height"))
        assert abs(base - bottom - buffer["offset"] * scale) < 1.2
        assert abs(float(rect.get("height")) - max(buffer["bytes"] * scale, 1)) < 0.2
        assert f"{buffer['bytes']:,} bytes at {buffer['offset']:,}" in bar.find(f"{SVG}title").text
    # Again, without: the files go.
    succeed("compile", tmp_path / "net.onnx", "--target", "cortex-m4", "-o", out)
    assert not (out / "net_arena.html").exists()


def test_page_needs_nothing_else(tmp_path: Path) -> None:
    succeed("compile", DIGITS / "digits_int8.onnx", "--target", "host", "-o", tmp_path / "out", "--report")
    text = (tmp_path / "out" / "digits_int8_arena.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert not [tag for tag, attributes in page.tags if {"src", "href"} & attributes.keys()]
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "@import" not in text and "url(" not in text
    again = tmp_path / "again"
    succeed("compile", DIGITS / "digits_int8.onnx", "--target", "host", "-o", again, "--report")
    assert (again / "digits_int8_arena.html").read_text(encoding="utf-8") == text


def test_hostile_names(tmp_path: Path) -> None:
    """Names from the model stay text, in the page, in its attributes and in the SVG."""
    hostile = ['<script>alert(1)</script>', '" onmouseover="alert(2)', "]]><svg onload=alert(3)>",
               "</title></style><b>", "a\u202eb\u2028c\x01d\ufffe", "&lt;&amp;' -->"]
    model = onnx.load(residual_net(tmp_path / "net.onnx", False))
    renamed = {}
    for k, node in enumerate(model.graph.node):
        node.name = hostile[k % len(hostile)] + str(k)
        for j, name in enumerate(node.output):
            if name != "classes":
                renamed[name] = f"{hostile[(k + 1) % len(hostile)]}{k}"
                node.output[j] = renamed[name]
        for j, name in enumerate(node.input):
            node.input[j] = renamed.get(name, name)
    del model.graph.value_info[:]
    model.graph.input[0].name = hostile[0]
    for node in model.graph.node:
        node.input[:] = [hostile[0] if i == "image" else i for i in node.input]
    onnx.save(model, tmp_path / "hostile.onnx")
    report = succeed("compile", tmp_path / "hostile.onnx", "--target", "host", "-o", tmp_path / "out", "--report",
                     "--json").json
    root = ElementTree.parse(tmp_path / "out" / "hostile_arena.svg").getroot()
    assert {element.tag for element in root.iter()} <= {f"{SVG}{tag}" for tag in
                                                        ("svg", "title", "rect", "text", "line", "g")}
    assert not [a for element in root.iter() for a in element.keys() if a.startswith("on")]
    text = (tmp_path / "out" / "hostile_arena.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert sum(tag == "script" for tag, _ in page.tags) == 1 and not any(tag == "b" for tag, _ in page.tags)
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    assert not any(c in text for c in "\u202e\u2028\x01\ufffe")
    assert "<script>alert(1)</script>" in page.text  # shown as text
    assert len([t for t in page.tags if t[1].get("class") == "bar"]) == len(report["buffers"])
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report


def test_several_models(tmp_path: Path) -> None:
    report = succeed("compile", DIGITS / "digits_int8.onnx", DIGITS / "digits_f32.onnx", "--target", "host",
                     "-o", tmp_path / "out", "--report", "--json").json
    for name in ("digits_int8", "digits_f32"):
        assert f"{name}_arena.html" in report["files"] and (tmp_path / "out" / f"{name}_arena.svg").exists()
