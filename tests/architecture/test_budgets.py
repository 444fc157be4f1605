"""Budgets of the house: small files, small functions, few positional parameters (complexity is ruff's C901)."""

from __future__ import annotations

import ast
from pathlib import Path

from architecture.source_tree import functions, shown, tracked

FILE_LINES = 400
BODY_LINES = 60
POSITIONAL = 5

SOURCES = [*tracked("src"), *tracked("tests"), *tracked("bench"), *tracked("scripts")]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a body, without signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Parameters that may be given by place, without self and cls."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    return len(names[1:] if names[:1] in (["self"], ["cls"]) else names)


def test_files_stay_short() -> None:
    long = {shown(path): lines for path in SOURCES if (lines := len(path.read_text().splitlines())) > FILE_LINES}
    assert long == {}, f"more than {FILE_LINES} lines"


def test_function_bodies_stay_short() -> None:
    long = {
        shown(path, one.lineno) + f" {one.name}": lines
        for path in SOURCES
        for one in functions(path)
        if (lines := body_lines(one)) > BODY_LINES
    }
    assert long == {}, f"more than {BODY_LINES} lines"


def test_functions_take_few_positional_parameters() -> None:
    wide = {
        shown(path, one.lineno) + f" {one.name}": count
        for path in tracked("src")
        for one in functions(path)
        if (count := positional(one)) > POSITIONAL
    }
    assert wide == {}, f"more than {POSITIONAL} positional parameters"


def test_the_measures_see_what_is_too_large(tmp_path: Path) -> None:
    source = 'def wide(a, b, c, d, e, f):\n    """Doc."""\n' + "    x = 1\n" * (BODY_LINES + 1)
    (tmp_path / "large.py").write_text(source)
    (function,) = functions(tmp_path / "large.py")
    assert body_lines(function) == BODY_LINES + 1
    assert positional(function) == POSITIONAL + 1
