"""Nothing of one machine and nothing half-done is committed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from architecture.source_tree import ROOT, shown, text_of, tracked, tracked_files

_HERE = Path(__file__).resolve()
MACHINE_PATH = re.compile(r"/(?:tmp|root|work|home|mnt)/[A-Za-z.]")
REGISTRY = re.compile(
    r"(?:index-url|find-links|trusted-host)\s*=|registry=|artifact-?registry|artifactory|/simple/\b", re.I
)
LOOSE_END = re.compile(
    r"#\s*(?:TODO|FIXME|XXX|HACK)\b|NotImplementedError|pragma: no cover|assert True\b"  # reason: the pattern itself
    r"|pytest\.(?:mark\.)?(?:skip|xfail|importorskip)|\bfrom unittest import mock|unittest\.mock"
)


def hits(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Places where a pattern stands, this file aside."""
    found = []
    for path in paths:
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1):
            if path != _HERE and pattern.search(line):
                found.append(f"{shown(path, number)}: {line.strip()[:100]}")
    return found


def committed() -> list[Path]:
    """Tracked text, without fixtures: those are the world's, not ours."""
    return [path for path in tracked_files() if "fixtures" not in path.parts and "data" not in path.parts]


def test_no_path_of_one_machine() -> None:
    assert hits(MACHINE_PATH, committed()) == []


def test_no_registry_of_one_machine() -> None:
    assert hits(REGISTRY, committed()) == []


def test_no_loose_ends() -> None:
    assert hits(LOOSE_END, tracked("src") + tracked("tests") + tracked("bench") + tracked("scripts")) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATH, "open('/ho" + "me/me/x')"),
        (REGISTRY, "extra-index-" + "url = file:"),
        (LOOSE_END, "raise NotImplemented" + "Error"),
    ],
)
def test_the_patterns_see_what_they_are_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


def test_no_large_file_is_committed() -> None:
    large = [shown(path) for path in tracked_files() if path.stat().st_size > 6_000_000]
    assert large == []


def test_what_runs_is_executable() -> None:
    scripts = [path for path in tracked_files() if path.parent in (ROOT / "scripts", ROOT / ".ci")]
    assert scripts
    assert [shown(path) for path in scripts if not path.stat().st_mode & 0o111] == []
