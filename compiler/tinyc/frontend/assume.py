# SPDX-License-Identifier: Apache-2.0
"""Nodes whose operands have to be assumed: a result for each choice, and the checks that pick one in run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tinyc.errors import TinycError
from tinyc.frontend import operands
from tinyc.frontend.context import Context
from tinyc.frontend.shapes import declared_shape
from tinyc.ir.graph import NoAttrs
from tinyc.ops.expect import Case, ExpectAttrs, MatchesAttrs

if TYPE_CHECKING:
    from tinyc.frontend.scope import Scope

HINT = "make it a constant, or state the static shape of the result in the model"


def assumed(
    scope: Scope, context: Context, results_for: Callable[[tuple[str, ...]], Sequence[str]]
) -> list[str] | None:
    """The node's outputs where operands that must be known are not; None where there are no such operands.

    results_for: lowers the node with other operands. Raises TinycError where the choices are none or too many.
    """
    known = [context.constant_or_none(k) for k in range(len(context.inputs))]
    types = [context.type_of(i) if i else None for i in context.inputs]
    unknown = operands.unknown_operands(context.op_type, known, types)
    if not unknown:
        return None
    shapes = [declared_shape(scope, o) if o else None for o in context.outputs]
    if shapes[0] is None:
        return None
    call = operands.Call(context.op_type, context.opset, context.attributes, types, known, shapes, unknown)
    found: list[tuple[operands.Choice, Sequence[str]]] = []
    refused: TinycError | None = None
    possible = operands.choices(call)
    if not possible and context.op_type in operands.WITHOUT:
        return None
    for choice in possible:
        inputs = list(context.inputs)
        for index, value in choice.values.items():
            inputs[index] = context.const(operands.as_operand(value, context.type(index)))
        try:
            results = results_for(tuple(inputs))
        except TinycError as error:
            refused = error
            continue
        if all(s is None or context.type_of(r).shape == s for r, s in zip(results, shapes, strict=False)):
            found.append((choice, results))
    if not found:
        raise refused or context.fail(f"no value of an operand leads to a result of shape {list(shapes[0])}", HINT)
    if len(found) > operands.MAX_CHOICES:
        raise context.fail(f"more than {operands.MAX_CHOICES} values of an operand lead to the same shape", HINT)
    given = [context.inputs[k] for k in unknown]

    def cases(choice: operands.Choice) -> tuple[Case, ...]:
        return tuple(tuple(case[k] for k in unknown) for case in choice.cases)

    merged = list(found[-1][1])
    for choice, results in reversed(found[:-1]):
        if list(results) == merged:
            continue
        flag = [context.emit("Matches", MatchesAttrs(case), given)[0] for case in cases(choice)]
        for condition in flag:
            merged = [context.emit("Select", NoAttrs(), [condition, a, b])[0]
                      for a, b in zip(results, merged, strict=True)]
    checks = ExpectAttrs(tuple(case for choice, _ in found for case in cases(choice)))
    return [context.emit("Expect", checks, [value, *given])[0] for value in merged]
