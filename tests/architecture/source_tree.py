"""What the architecture tests look at: tracked files, parsed modules, imports."""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "troth"
_GENERATED = {".git", "build", "dist", "var", "node_modules", "__pycache__", ".hypothesis", "htmlcov"}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, absolute; `inside` is true within a function body."""

    name: str
    line: int
    inside: bool


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files of the repository: what git tracks, or, in an export without git, everything not generated."""
    if (ROOT / ".git").exists():
        # The owner of a checkout may be another than who runs the tests; git refuses that unless told.
        ask = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
        listed = subprocess.run(ask, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = list(_walk())
    return tuple(sorted(path for path in paths if path.is_file()))


def _walk() -> Iterator[Path]:
    for folder, names, files in os.walk(ROOT):
        names[:] = [
            name for name in names if name not in _GENERATED and not name.startswith((".venv", ".mypy", ".ruff"))
        ]
        yield from (Path(folder) / name for name in files)


def tracked(folder: str, suffix: str = ".py") -> list[Path]:
    """Tracked files of one folder below the root, by suffix."""
    return [path for path in tracked_files() if path.suffix == suffix and path.is_relative_to(ROOT / folder)]


def text_of(path: Path) -> str | None:
    """The text of a file, or None for a binary one."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def shown(path: Path, line: int | None = None) -> str:
    """A path as people read it: relative to the root, with a line."""
    place = str(path.relative_to(ROOT))
    return place if line is None else f"{place}:{line}"


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imports(path: Path) -> Iterator[Import]:
    """Every import of a module. Relative imports raise ValueError: the house has none."""
    nested = {id(inner) for function in functions(path) for inner in ast.walk(function)}
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise ValueError(f"{shown(path, node.lineno)}: write imports absolutely")
        if isinstance(node, ast.ImportFrom):
            yield Import(node.module or "", node.lineno, id(node) in nested)
        elif isinstance(node, ast.Import):
            yield from (Import(name.name, node.lineno, id(node) in nested) for name in node.names)
