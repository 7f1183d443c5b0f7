# SPDX-License-Identifier: Apache-2.0
"""Which passes run, in which order; the graph is verified after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tinyc.ops  # noqa: F401  (registers the operators)
from tinyc.ir.dump import dump
from tinyc.ir.graph import Editor, Graph
from tinyc.ir.verify import BrokenGraph, verify
from tinyc.passes.affine_to_conv import affine_to_conv
from tinyc.passes.channels_last import channels_last
from tinyc.passes.clip_of_integers import clip_of_integers
from tinyc.passes.constant_views import constant_views
from tinyc.passes.fold_batch_norm import fold_batch_norm
from tinyc.passes.fold_constants import fold_constants
from tinyc.passes.fuse_attention import fuse_attention
from tinyc.passes.fuse_clamp import fuse_clamp
from tinyc.passes.fuse_elementwise import fuse_elementwise
from tinyc.passes.fuse_layer_norm import fuse_layer_norm
from tinyc.passes.fuse_pad import fuse_pad
from tinyc.passes.fuse_tables import fuse_tables
from tinyc.passes.lstm_as_written import lstm_as_written
from tinyc.passes.matmul_to_gemm import matmul_to_gemm
from tinyc.passes.merge_duplicates import merge_duplicates
from tinyc.passes.pad_average import pad_average
from tinyc.passes.propagate_quant import propagate_quant
from tinyc.passes.qdq_to_integer import qdq_to_integer
from tinyc.passes.quantize_between import quantize_between
from tinyc.passes.quantize_constants import quantize_constants
from tinyc.passes.quantize_selection import quantize_selection
from tinyc.passes.recognize_functions import recognize_functions
from tinyc.passes.remove_dead_channels import remove_dead_channels
from tinyc.passes.remove_dead_code import remove_dead_code
from tinyc.passes.remove_identities import remove_identities
from tinyc.passes.separate_outputs import separate_outputs
from tinyc.passes.sink_transposes import sink_transposes
from tinyc.passes.softmax_last_axis import softmax_last_axis
from tinyc.passes.split_gemm import split_gemm
from tinyc.passes.stored_weights import stored_weights
from tinyc.passes.transpose_into_gemm import transpose_into_gemm
from tinyc.passes.trees_on_integers import trees_on_integers
from tinyc.passes.trim_results import trim_results
from tinyc.passes.uint8_to_int8 import uint8_to_int8
from tinyc.targets import Target

PassFunction = Callable[[Graph[Any], Target], Graph[Any]]


@dataclass(frozen=True)
class Pass:
    """A named step of the pipeline."""

    name: str
    run: PassFunction


def _plain(function: Callable[[Graph[Any]], Graph[Any]]) -> PassFunction:
    return lambda graph, _target: function(graph)


def clean_up(graph: Graph[Any]) -> Graph[Any]:
    """Without what is dead or changes nothing."""
    return remove_dead_code(remove_identities(remove_dead_code(graph)))


QUANTIZE = "quantize"  # where a float graph becomes a quantized one, if the user asks for that

PIPELINE: tuple[Pass, ...] = (
    Pass("fold-constants", _plain(fold_constants)),
    Pass("remove-dead-code", _plain(remove_dead_code)),
    Pass("trim-results", _plain(trim_results)),
    Pass("remove-identities", _plain(remove_identities)),
    Pass("constant-views", _plain(constant_views)),
    Pass("clip-of-integers", _plain(clip_of_integers)),
    Pass("uint8-to-int8", _plain(lambda g: remove_dead_code(uint8_to_int8(g)))),
    Pass("quantize-selection", _plain(lambda g: remove_dead_code(quantize_selection(g)))),
    Pass("trees-on-integers", _plain(lambda g: remove_dead_code(trees_on_integers(g)))),
    Pass("merge-duplicates", _plain(merge_duplicates)),
    Pass("fuse-layer-norm", _plain(lambda g: remove_dead_code(fuse_layer_norm(g)))),
    Pass("recognize-functions", _plain(recognize_functions)),
    Pass("matmul-to-gemm", _plain(matmul_to_gemm)),
    Pass("fold-batch-norm", _plain(fold_batch_norm)),
    Pass("fuse-clamp", _plain(fuse_clamp)),
    Pass(QUANTIZE, _plain(lambda g: g)),
    Pass("quantize-between", _plain(lambda g: remove_dead_code(quantize_selection(quantize_between(g))))),
    Pass("fuse-tables", _plain(lambda g: remove_dead_code(fuse_tables(g)))),
    Pass("affine-to-conv", _plain(lambda g: remove_dead_code(affine_to_conv(g)))),
    Pass("quantize-constants", _plain(lambda g: remove_dead_code(quantize_constants(g)))),
    Pass("lstm-as-written", _plain(lstm_as_written)),
    Pass("qdq-to-integer", _plain(lambda g: remove_dead_code(qdq_to_integer(g)))),
    Pass("propagate-quant", _plain(propagate_quant)),
    Pass("fuse-pad", _plain(fuse_pad)),
    Pass("pad-average", _plain(pad_average)),
    Pass("stored-weights", _plain(lambda g: remove_dead_code(stored_weights(g)))),
    Pass("fold-dequantize", _plain(lambda g: fold_constants(g, keep_dequantize=False))),
    Pass("softmax-last-axis", _plain(softmax_last_axis)),
    Pass("channels-last", _plain(channels_last)),
    Pass("sink-transposes", _plain(sink_transposes)),
    Pass("transpose-into-gemm", _plain(transpose_into_gemm)),
    Pass("clean-up", _plain(lambda g: clean_up(g))),
    Pass("remove-dead-channels", _plain(lambda g: remove_dead_code(remove_dead_channels(g)))),
    Pass("split-gemm", _plain(split_gemm)),
    Pass("fuse-attention", _plain(lambda g: clean_up(fuse_attention(g)))),
    Pass("fuse-elementwise", _plain(fuse_elementwise)),
    Pass("separate-outputs", _plain(separate_outputs)),
)


def _loop_bodies(graph: Graph[Any], step: Pass, target: Target) -> Graph[Any]:
    """The same pass for the bodies of loops."""
    loops = [node for node in graph.nodes() if node.op == "Loop"]
    if not loops:
        return graph
    editor = Editor(graph)
    for node in loops:
        body = step.run(node.attrs.body, target)
        verify(body)
        body = _loop_bodies(body, step, target)
        editor.replace(node, replace(node, attrs=replace(node.attrs, body=body)))
    return editor.done()


class PassError(Exception):
    """A pass left a broken graph; names the pass and those before it."""


def run_passes(
    graph: Graph[Any], target: Target, dump_after: str | None = None, show: Callable[[str], None] = print,
    quantize: PassFunction | None = None,
) -> Graph[Any]:
    """Runs the pipeline. `dump_after` names a pass whose result is given to `show` as text.

    `quantize` takes the place of the pass of that name: it makes a QDQ graph of a float one.
    """
    done: list[str] = []
    verify(graph)
    for step in PIPELINE:
        try:
            run = quantize if quantize is not None and step.name == QUANTIZE else step.run
            result = run(graph, target)
            if result is not graph:
                verify(result)
            graph = result
        except BrokenGraph as error:
            before = ", ".join(done) or "none"
            raise PassError(
                f"pass {step.name} broke the graph ({error}); passes before it: {before}"
            ) from error
        done.append(step.name)
        graph = _loop_bodies(graph, step, target)
        if dump_after == step.name:
            show(dump(graph))
    return graph
