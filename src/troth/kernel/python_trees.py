"""Python's own parser, one at a time.

CPython 3.11 counts the depth of all parsers of a process together, and calls two at once a mismatch (`SystemError`,
gh-106905).
"""

from __future__ import annotations

import ast
import threading
from typing import Final, Literal, overload

_ONE_AT_A_TIME: Final = threading.Lock()


@overload
def parsed(text: str, mode: Literal["exec"] = ...) -> ast.Module: ...


@overload
def parsed(text: str, mode: Literal["eval"]) -> ast.Expression: ...


def parsed(text: str, mode: Literal["exec", "eval"] = "exec") -> ast.AST:
    """The tree of a text. Raises as `ast.parse`: SyntaxError, ValueError, RecursionError, MemoryError."""
    with _ONE_AT_A_TIME:
        return ast.parse(text, mode=mode)
