"""The digest of a check's code: its module, whatever of this package that imports, and its parameters.

Whoever edits a check, a helper that it uses, or the judgement, changes the digest. Code of other rooms is not in it:
that is what the checks look at.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from troth.kernel.python_trees import parsed

PACKAGE = "troth.promises"

Sources = Callable[[str], str | None]
"""The source of a module by its name, or None when there is none of that name."""


@cache
def source_of(module: str) -> str | None:
    """The text of a module of this package as it lies on disk; read once, as the interpreter read it once."""
    try:
        spec = find_spec(module)
    except (ModuleNotFoundError, ValueError):
        return None
    return Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else None


def closure(module: str, sources: Sources = source_of) -> dict[str, str]:
    """The module and every one of this package that it imports, directly or not: name -> source, in order of names."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        text = None if name in found else sources(name)
        if text is not None:
            found[name] = text
            waiting += _imports(name, text, sources)
    return dict(sorted(found.items()))


def digest(check: str, module: str, parameters: Mapping[str, object], sources: Sources = source_of) -> str:
    """SHA-256 in hex over the id of a check, its parameters, and the closure of its module."""
    told = {"check": check, "parameters": dict(parameters), "modules": _digests(module, sources)}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _digests(module: str, sources: Sources) -> dict[str, str]:
    if sources is source_of:
        return _known(module)
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in closure(module, sources).items()}


@cache
def _known(module: str) -> dict[str, str]:
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in closure(module).items()}


def _imports(module: str, text: str, sources: Sources) -> Iterator[str]:
    if sources is source_of:
        yield from _imported(module, text)
    else:
        yield from _parsed(text, sources)


@cache
def _imported(_module: str, text: str) -> tuple[str, ...]:
    return tuple(_parsed(text, source_of))


def _parsed(text: str, sources: Sources) -> Iterator[str]:
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if _ours(one.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _ours(node.module):
            inside = [f"{node.module}.{one.name}" for one in node.names]
            modules = [one for one in inside if sources(one) is not None]
            yield from modules
            if len(modules) < len(inside):  # a package that only hands on its modules is none of the code
                yield node.module


def _ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")
