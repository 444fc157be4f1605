"""A thing is named for what it is (house rule 16)."""

from __future__ import annotations

import ast

from architecture.source_tree import PACKAGE, parsed, shown, tracked

PILES = ("utils", "util", "helpers", "helper", "common", "misc", "manager", "service")


def test_no_module_or_folder_has_a_piles_name() -> None:
    piles = [
        shown(path)
        for path in tracked("src") + tracked("tests")
        if {part.lower() for part in (*path.parent.relative_to(PACKAGE.parents[1]).parts, path.stem)} & set(PILES)
    ]
    assert piles == []


def test_no_class_has_a_piles_name() -> None:
    piles = [
        shown(path, node.lineno) + f" {node.name}"
        for path in tracked("src")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef) and node.name.lower().endswith(PILES)
    ]
    assert piles == []
