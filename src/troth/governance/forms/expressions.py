"""Conditions of forms: a small language over names and constants that calls nothing.

Python's parser reads the text; an allow-list of nodes says what it may hold: names, texts, whole numbers, true and
false (`True`, `False`), `None`, tuples after `in`, `and`, `or`, `not`, comparisons, `+`, `-`, `*`, and the counts
`share(NAME)`, `late(NAME)` and `count(NAME)`, which are looked up and not called. A name without a value makes the
whole condition `Missing` (nothing follows from what nobody entered), unless it is compared with `None`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from troth.kernel.errors import Invalid
from troth.kernel.python_trees import parsed

Value = None | bool | int | str | date | Fraction | tuple[Any, ...]
"""What a name stands for. Days between two dates are an int; people, countries and the like are a tuple of texts."""

LONGEST: Final = 200  # characters of a condition
_MOST_NODES, _DEEPEST = 80, 20
_LARGEST: Final = 10**15  # of a number, also in between; epoch milliseconds fit
COUNTS: Final = frozenset({"share", "late", "count"})
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_SHAPES: Final = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Call, ast.Name, ast.Load,
    ast.Constant, ast.Tuple,
)  # fmt: skip


class Missing(Exception):
    """A name of the condition has no value, so nothing follows from it; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _bad(says: str) -> Invalid:
    return Invalid(f"A condition of the form {says}.", code="bad-condition")


@lru_cache(maxsize=2048)
def parse(text: str) -> ast.expr:
    """The tree of a condition. Raises Invalid(bad-condition) for anything but the language above, or beyond limits."""
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
        raise _bad(f"is a text of at most {LONGEST} characters")
    try:
        tree = parsed(text.strip(), "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _bad("cannot be read") from error
    if sum(1 for _ in ast.walk(tree)) > _MOST_NODES or _depth(tree) > _DEEPEST:
        raise _bad("is too long; say it in several")
    for node in ast.walk(tree):
        _permit(node)
    return tree.body


def _depth(node: ast.AST) -> int:
    return 1 + max((_depth(one) for one in ast.iter_child_nodes(node)), default=0)


def _permit(node: ast.AST) -> None:
    if not isinstance(node, _SHAPES):
        raise _bad("uses what no condition may: only names, constants, comparisons, and, or, not, +, - and *")
    if isinstance(node, ast.Call):
        named = isinstance(node.func, ast.Name) and node.func.id in COUNTS
        if not named or node.keywords or len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
            raise _bad("calls something: only share(NAME), late(NAME) and count(NAME) are known")
    if isinstance(node, ast.Name) and (node.id.startswith("_") or not node.id.isascii()):
        raise _bad("uses a name that is none of the form's")
    if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | None):
        raise _bad("uses a constant that is no text, no whole number, True, False or None")
    if isinstance(node, ast.Tuple) and not all(isinstance(one, ast.Constant) for one in node.elts):
        raise _bad("uses a list of something else than constants")


def names_in(text: str) -> frozenset[str]:
    """The names that a condition uses; `share(x)` counts as the one name `share(x)`. Raises Invalid."""
    return frozenset(_names(parse(text)))


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield _counted(node)
        return
    if isinstance(node, ast.Name):
        yield node.id
    for one in ast.iter_child_nodes(node):
        yield from _names(one)


def _counted(node: ast.Call) -> str:
    assert isinstance(node.func, ast.Name)
    assert isinstance(node.args[0], ast.Name)
    return f"{node.func.id}({node.args[0].id})"


def evaluate(text: str, names: Mapping[str, Value]) -> Value:
    """What a condition says of `names`, in which counts stand as `share(x)`.

    Raises Missing for a name without a value; Invalid(bad-condition) for an unknown name, or kinds that do not go
    together, such as a text and a number.
    """
    return _value(parse(text), names)


def check(text: str, samples: Mapping[str, Value]) -> None:
    """Look at every part of a condition with a sample value of each name, also at parts that `or` would pass over.

    Raises Invalid(bad-condition) for unknown names and kinds that do not go together.
    """
    tree = parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp):
            for one in node.values:
                _flag(_value(one, samples))
    _value(tree, samples)


def holds(text: str, names: Mapping[str, Value]) -> bool:
    """Whether a condition is met: it has a value for all that it needs, and that value is true. Raises Invalid."""
    try:
        return evaluate(text, names) is True
    except Missing:
        return False


def _value(node: ast.expr, names: Mapping[str, Value]) -> Value:
    found = _looked_up(node, names)
    if found is None and not (isinstance(node, ast.Constant) and node.value is None):
        assert isinstance(node, ast.Name | ast.Call)
        raise Missing(node.id if isinstance(node, ast.Name) else _counted(node))
    return found


def _looked_up(node: ast.expr, names: Mapping[str, Value]) -> Value:
    """As `_value`, but None for a name without a value."""
    match node:
        case ast.Constant(value=constant):
            return _bounded(constant)  # type: ignore[arg-type]
        case ast.Tuple(elts=parts):
            return tuple(_value(one, names) for one in parts)
        case ast.Name() | ast.Call():
            name = node.id if isinstance(node, ast.Name) else _counted(node)
            if name not in names:
                raise _bad("uses a name that is none of the form's")
            return names[name]
        case ast.BoolOp():
            return _joined(node, names)
        case ast.UnaryOp() | ast.BinOp():
            return _made(node, names)
        case ast.Compare():
            return _compared(node, names)
    raise _bad("cannot be read")


def _made(node: ast.UnaryOp | ast.BinOp, names: Mapping[str, Value]) -> Value:
    if isinstance(node, ast.BinOp):
        return _reckoned(node.op, _value(node.left, names), _value(node.right, names))
    inner = _value(node.operand, names)
    return not _flag(inner) if isinstance(node.op, ast.Not) else _bounded(-_whole(inner))


def _joined(node: ast.BoolOp, names: Mapping[str, Value]) -> bool:
    stops = isinstance(node.op, ast.Or)
    return stops if any(_flag(_value(one, names)) is stops for one in node.values) else not stops


def _compared(node: ast.Compare, names: Mapping[str, Value]) -> bool:
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        if not _one_comparison(op, left, right, names):
            return False
        left = right
    return True


def _one_comparison(op: ast.cmpop, left: ast.expr, right: ast.expr, names: Mapping[str, Value]) -> bool:
    if isinstance(op, ast.Eq | ast.NotEq):
        nothing = any(isinstance(one, ast.Constant) and one.value is None for one in (left, right))
        read = _looked_up if nothing else _value
        same = _same(read(left, names), read(right, names))
        return same if isinstance(op, ast.Eq) else not same
    first, second = _value(left, names), _value(right, names)
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(second, tuple):
            raise _bad("looks for something in what is no list")
        inside = any(_same(first, one) for one in second)
        return inside if isinstance(op, ast.In) else not inside
    if _kind(first) != _kind(second) or _kind(first) not in {"number", "date"}:
        raise _bad("compares what cannot be compared")
    return _COMPARE[type(op)](first, second)


def _same(first: Value, second: Value) -> bool:
    if first is None or second is None:
        return first is second
    if _kind(first) != _kind(second):
        raise _bad("compares what cannot be compared")
    return first == second


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | Fraction):
        return "number"
    return "text" if isinstance(value, str) else "date" if isinstance(value, date) else "list"


def _flag(value: Value) -> bool:
    if not isinstance(value, bool):
        raise _bad("joins what is no yes or no")
    return value


def _whole(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad("reckons with what is no whole number")
    return value


def _bounded(value: Value) -> Value:
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise _bad("uses a number that is too large")
    return value


def _reckoned(op: ast.operator, left: Value, right: Value) -> Value:
    if isinstance(left, date) and not isinstance(op, ast.Mult):
        return _moved(left, right, 1 if isinstance(op, ast.Add) else -1)
    first, second = _whole(left), _whole(right)
    if isinstance(op, ast.Mult):
        return _bounded(first * second)
    return _bounded(first + second if isinstance(op, ast.Add) else first - second)


def _moved(day: date, other: Value, sign: int) -> Value:
    if isinstance(other, date):
        if sign > 0:
            raise _bad("adds two dates")
        return (day - other).days
    try:
        return day + sign * timedelta(days=_whole(other))
    except OverflowError as error:
        raise _bad("leads to a date that there is not") from error
