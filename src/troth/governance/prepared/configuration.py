"""Configuration as it stood at one moment, in sections, and what changed between two of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

SECTIONS: Final = ("permissions", "network_rules", "storage_policies")  # fields of the register, too
Sections = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the difference. `before` and `after` as in JSON; None: it was not there, or is not any more."""

    section: str
    path: str
    before: Any
    after: Any


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785)."""
    return rfc8785.dumps(value)


def digests(found: Sections) -> dict[str, str]:
    """SHA-256 of the canonical JSON of each section, in hex."""
    return {name: hashlib.sha256(canonical(dict(found.get(name, {})))).hexdigest() for name in SECTIONS}


def changes(before: Sections, after: Sections) -> tuple[Change, ...]:
    """Every value that came, went or is another one, by section and path."""
    found: list[Change] = []
    for section in SECTIONS:
        old, new = (dict(_flat(one.get(section, {}))) for one in (before, after))
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) != new.get(path):
                found.append(Change(section, path, old.get(path), new.get(path)))
    return tuple(found)


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Values by their path; a list is one value, so that an entry more shows what it was added to."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _flat(one, f"{path}.{name}" if path else str(name))
    else:
        yield path, value
