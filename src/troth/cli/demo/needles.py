"""Search for what must not be there: personal values and raw bytes, over every file the server ever wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def found(needles: Mapping[str, bytes], places: Iterable[Path]) -> list[str]:
    """`needle in file` for each hit, over all files below `places`; hidden files and write-ahead logs too."""
    hits: list[str] = []
    for place in places:
        files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
        for path in files:
            content = path.read_bytes()
            hits += [f"{name} in {path.name}" for name, needle in needles.items() if needle in content]
    return hits


def size_of(places: Iterable[Path]) -> tuple[int, int]:
    """(files, bytes) below `places`."""
    files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*")) if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)
