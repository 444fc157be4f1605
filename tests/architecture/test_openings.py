"""Content is opened in one place, which counts it: what opens beside it would be in no counter and no entry."""

from __future__ import annotations

import ast
from pathlib import Path

import troth

SOURCE = Path(troth.__file__).parent
# Who may call `framing.open` and `framing.open_range` themselves, and why.
MAY = {
    "vault/ground.py": "the one place",
    "backup/probing.py": "a restored copy in quarantine, which is no installation",
    "promises/checks/isolation.py": "tries keys that must not open",
    "promises/checks/sealing.py": "tries keys that must not open",
}


def opening(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("open", "open_range")
        and isinstance(node.value, ast.Name)
        and node.value.id == "framing"
        for node in ast.walk(tree)
    )


def test_content_is_opened_in_one_place() -> None:
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if opening(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == MAY.keys()
    assert opening(ast.parse("framing.open(sealed, facts, unit)"))
