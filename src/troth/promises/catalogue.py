"""The promises, read from `catalogue.yaml` (restated from the two source papers, 134 rows)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise. `kind`: enforced (software refuses), evidenced (software measures), recorded (people do it).

    `record`: what people must enter, or nothing.
    """

    id: str
    statement: str
    kind: str
    capability: str
    bound: str
    acceptance: str
    source: tuple[str, ...]
    implied: bool
    record: str = ""
    refs: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def references(self, standard: str) -> tuple[str, ...]:
        """Where a standard asks for the same, by its own ids: `nist80053` gives ("SI-19",)."""
        return dict(self.refs).get(standard, ())

    @property
    def missing(self) -> str:
        """Why nothing can be said while no check covers it; of what people must enter, what that is."""
        return f"nobody has entered what shows it: {self.record}" if self.record else "nothing looks at it yet"

    @property
    def family(self) -> str:
        """The letters before the number: TRN, CRY, …"""
        return self.id.partition("-")[0]


@cache
def catalogue() -> dict[str, Promise]:
    """All promises by id, in the order of the file."""
    return {row["id"]: _promise(row) for row in _load("catalogue.yaml")}


def _load(name: str) -> list[dict[str, Any]]:
    text = files("troth.promises").joinpath(name).read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader reads the catalogue ten times faster
    loaded: list[dict[str, Any]] = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    return loaded


def _promise(row: dict[str, Any]) -> Promise:
    return Promise(
        id=row["id"],
        statement=row["statement"],
        kind=row["kind"],
        capability=row["capability"],
        bound=row["bound"],
        acceptance=row["acceptance"],
        source=tuple(row["source"]),
        implied=bool(row["implied"]),
        record=row.get("record", ""),
        refs=tuple((name, tuple(str(one) for one in ids)) for name, ids in (row.get("refs") or {}).items()),
    )
