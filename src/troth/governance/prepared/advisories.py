"""Advisories in the form of OSV (ossf.github.io/osv-schema), from a stated source with a date. Pure.

The date is that of the newest advisory, not one that somebody writes beside it: a copy that nobody renews grows old.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from troth.governance.prepared.sbom import Component
from troth.governance.prepared.versions import key, normal
from troth.kernel.errors import Invalid, TooLarge

LARGEST: Final = 256 << 20  # bytes as they come
_UNPACKED: Final = 1 << 30
_ONE: Final = 4 << 20  # bytes of one advisory
_MOST: Final = 500_000  # advisories
_OURS: Final = "PyPI"


class Undecidable(Exception):
    """An advisory names a package and does not say which versions in a way that can be compared."""


@dataclass(frozen=True, slots=True)
class Advisories:
    """What a source says. `as_of`: when its newest advisory changed (epoch ms); `of`: those of a package."""

    source: str
    as_of: int
    count: int
    of: Mapping[str, tuple[Mapping[str, Any], ...]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """An installed package that an advisory names, and the version that mends it, where one is told."""

    component: str
    version: str
    advisory: str
    aliases: tuple[str, ...]
    fixed: str | None


def read(content: bytes, source: str) -> Advisories:
    """The advisories of a zip of JSON files, a JSON list, or one JSON object a line.

    Raises TooLarge(advisories-too-large), Invalid(bad-advisories) for what is none, or for no advisory at all: an empty
    list would find nothing.
    """
    if len(content) > LARGEST:
        raise _large()
    of: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    newest = count = 0
    for one in _records(content):
        count += 1
        if count > _MOST:
            raise _large()
        newest = max(newest, _changed(one))
        for name in {normal(str(each["package"]["name"])) for each in _affected(one)}:
            of[name].append(one)
    if not of:
        raise _bad("it holds no advisory about a Python package")
    return Advisories(source, newest, count, {name: tuple(several) for name, several in of.items()})


def findings(component: Component, known: Advisories) -> Iterator[Finding]:
    """What names this version of the component. Raises Undecidable, Invalid(bad-version) where nobody can tell."""
    for one in known.of.get(component.name, ()):
        if one.get("withdrawn"):
            continue
        named = [each for each in _affected(one) if normal(str(each["package"]["name"])) == component.name]
        if any(_touches(each, component.version) for each in named):
            aliases = tuple(sorted(str(alias) for alias in one.get("aliases", ())))
            yield Finding(component.name, component.version, str(one["id"]), aliases, _mended(named, component.version))


def _records(content: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        for value in _values(content):
            for one in value if isinstance(value, list) else [value]:
                if not isinstance(one, dict) or not isinstance(one.get("id"), str):
                    raise _bad("an entry is no advisory")
                yield one
    except (ValueError, RecursionError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise _bad("it is no zip, list or lines of JSON") from error


def _values(content: bytes) -> Iterator[Any]:
    if not content.startswith(b"PK"):
        text = content.decode()
        lines = [text] if text.lstrip().startswith("[") else [line for line in text.splitlines() if line.strip()]
        yield from (json.loads(one) for one in lines)
        return
    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        members = [one for one in folder.infolist() if not one.is_dir()]
        if len(members) > _MOST or sum(one.file_size for one in members) > _UNPACKED:
            raise _large()
        for one in members:
            with folder.open(one) as file:
                raw = file.read(_ONE + 1)
            if len(raw) > _ONE:
                raise _large()
            yield json.loads(raw)


def _changed(one: Mapping[str, Any]) -> int:
    try:
        return round(datetime.fromisoformat(str(one["modified"]).replace("Z", "+00:00")).timestamp() * 1000)
    except (KeyError, ValueError, OverflowError) as error:
        raise _bad("an advisory does not say when it was changed") from error


def _affected(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What it names of Python's packages. Raises Invalid(bad-advisories) for another shape."""
    try:
        several = list(one.get("affected", ()))
        return [each for each in several if str(each.get("package", {}).get("ecosystem", "")).split(":")[0] == _OURS]
    except (AttributeError, TypeError) as error:
        raise _bad("an advisory has another shape") from error


def _touches(affected: Mapping[str, Any], version: str) -> bool:
    own = key(version)
    listed = [str(one) for one in affected.get("versions", ())]
    if any(_same(one, own) for one in listed):
        return True
    ranges = [one for one in affected.get("ranges", ()) if one.get("type") in ("ECOSYSTEM", "SEMVER")]
    if not ranges and not listed:
        raise Undecidable
    return any(_in_range(one.get("events", ()), own) for one in ranges)


def _same(text: str, own: Any) -> bool:
    try:
        return bool(key(text) == own)
    except Invalid:
        return False  # a version that no installed package can have


def _in_range(events: Iterable[Mapping[str, str]], own: Any) -> bool:
    """OSV's evaluation: the events in the order of their versions, the last that is not above decides."""
    told = [(("introduced", "fixed", "last_affected").index(name), text) for one in events for name, text in one.items()
            if name in ("introduced", "fixed", "last_affected")]  # fmt: skip
    if not told:
        raise Undecidable
    hit = False
    for name, text in sorted(told, key=lambda one: (one[1] != "0", () if one[1] == "0" else key(one[1]), one[0])):
        at_or_above = text == "0" or key(text) <= own
        if name == 0 and at_or_above:
            hit = True
        elif (name == 1 and at_or_above) or (name == 2 and key(text) < own):
            hit = False
    return hit


def _mended(several: Iterable[Mapping[str, Any]], version: str) -> str | None:
    own = key(version)
    texts = [
        str(event["fixed"])
        for affected in several
        for one in affected.get("ranges", ())
        if one.get("type") in ("ECOSYSTEM", "SEMVER")
        for event in one.get("events", ())
        if "fixed" in event
    ]
    return min((one for one in texts if key(one) > own), key=key, default=None)


def _bad(why: str) -> Invalid:
    return Invalid(f"These advisories cannot be used: {why}; fetch them again.", code="bad-advisories")


def _large() -> TooLarge:
    return TooLarge("The advisories are larger than such a collection may be.", code="advisories-too-large")
