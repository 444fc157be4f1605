"""Tests lie where their subject is: tests/unit/<room>/test_<module>[_aspect].py mirrors src/troth."""

from __future__ import annotations

from pathlib import Path

from architecture.source_tree import PACKAGE, ROOT, shown, tracked

UNIT = ROOT / "tests" / "unit"


def subject_exists(test: Path, unit: Path = UNIT, package: Path = PACKAGE) -> bool:
    """True when a module or package stands where the test says; a long suite may add an aspect to the name."""
    folder = package / test.parent.relative_to(unit)
    words = test.stem.removeprefix("test_").split("_")
    stems = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    return any((folder / f"{stem}.py").is_file() or (folder / stem / "__init__.py").is_file() for stem in stems)


def test_every_unit_test_has_its_module() -> None:
    lost = [shown(path) for path in tracked("tests/unit") if path.name.startswith("test_") and not subject_exists(path)]
    assert lost == []


def test_a_test_without_a_module_is_seen(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "tree.py").touch()
    unit = tmp_path / "unit"
    assert subject_exists(unit / "room" / "test_tree.py", unit, tmp_path)
    assert subject_exists(unit / "room" / "test_tree_crash.py", unit, tmp_path)
    assert not subject_exists(unit / "room" / "test_forest.py", unit, tmp_path)
    assert not subject_exists(unit / "other" / "test_tree.py", unit, tmp_path)


def test_tests_are_named_so_that_pytest_finds_them() -> None:
    odd = [
        shown(path)
        for path in tracked("tests")
        if not path.name.startswith("test_")
        and path.name != "conftest.py"
        and any(line.startswith(("def test_", "async def test_")) for line in path.read_text().splitlines())
    ]
    assert odd == []
