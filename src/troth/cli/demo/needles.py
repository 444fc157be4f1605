"""Search for what must not be there: personal values and raw bytes, over every file the server ever wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path


def found(needles: Mapping[str, bytes], places: Iterable[Path]) -> list[str]:
    """`needle in file` for each hit, over all files below `places`; hidden files and write-ahead logs too."""
    return [
        f"{name} in {path.name}"
        for path, content in _files(places)
        for name, needle in needles.items()
        if needle in content
    ]


def size_of(places: Iterable[Path]) -> tuple[int, int]:
    """(files, bytes) below `places`."""
    sizes = [len(content) for _, content in _files(places)]
    return len(sizes), sum(sizes)


def _files(places: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Every file with its content. The server is running: a file that it replaces meanwhile is passed over."""
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            try:
                if path.is_file():
                    yield path, path.read_bytes()
            except FileNotFoundError:
                continue
