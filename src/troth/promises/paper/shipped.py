"""The papers that come with Troth: two published ones as worked examples, and one of an imaginary company."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from troth.kernel.errors import NotFound
from troth.promises.paper.binding import SUFFIX, Paper, gathered

SOURCES = ("zian", "dzine")  # the papers that the catalogue restates
SHIPPED = (*SOURCES, "harbour")


@cache
def shipped(name: str) -> Paper:
    """One of `SHIPPED`. Raises NotFound (`paper-not-found`)."""
    if name not in SHIPPED:
        raise NotFound(f"Troth ships the papers {', '.join(SHIPPED)}.", code="paper-not-found")
    return gathered(name + SUFFIX, shipped_file)


def shipped_file(name: str) -> bytes:
    """The bytes of a file among them. Raises NotFound."""
    found = files("troth.promises").joinpath("papers", name)
    if not found.is_file():
        raise NotFound("There is no such shipped paper.", code="paper-not-found")
    return found.read_bytes()
