"""The bill of materials of the environment that runs this, as CycloneDX 1.6 (ECMA-424)."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

import rfc8785

from troth import __version__
from troth.governance.prepared.versions import normal
from troth.kernel.clock import iso

_NAMESPACE: Final = uuid.UUID("6a1f8c1e-5c0b-5d8e-9f4f-2b1d3c4e5f60")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
_MOST_LICENCE: Final = 200


@dataclass(frozen=True, slots=True)
class Component:
    """An installed package. `needs`: names of packages that it says it needs, of those that are installed."""

    name: str
    version: str
    licence: str | None = None
    needs: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """Its package URL, which names it in the bill."""
        return f"pkg:pypi/{self.name}@{self.version.replace('+', '%2B').replace('!', '%21')}"


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed, by name. `unreadable`: how many packages do not say what they are."""

    components: tuple[Component, ...]
    unreadable: int = 0


def installed(distributions: Iterable[metadata.Distribution] | None = None) -> Environment:
    """The packages of this environment; of two of one name the first on the path, which is what runs."""
    found: dict[str, Component] = {}
    unreadable = 0
    for one in metadata.distributions() if distributions is None else distributions:
        told: Any = one.metadata
        name, version = told.get("Name"), told.get("Version")
        if not name or not version or not _NAME.fullmatch(name):
            unreadable += 1
            continue
        licence = (told.get("License-Expression") or told.get("License") or "").strip().splitlines()
        made = Component(normal(name), version, licence[0][:_MOST_LICENCE] if licence else None, _needed(one))
        found.setdefault(made.name, made)
    known = frozenset(found)
    return Environment(tuple(_within(found[name], known) for name in sorted(found)), unreadable)


def _needed(one: metadata.Distribution) -> tuple[str, ...]:
    names = (_NAME.match(text.strip()) for text in one.requires or ())
    return tuple(sorted({normal(name[0].rstrip("-._")) for name in names if name}))


def _within(one: Component, known: frozenset[str]) -> Component:
    return Component(one.name, one.version, one.licence, tuple(name for name in one.needs if name in known))


def bill(components: Sequence[Component], at: int) -> dict[str, Any]:
    """The bill at `at` (epoch ms). The same components at the same moment give the same bytes."""
    listed = [_listed(one) for one in components]
    names = hashlib.sha256(rfc8785.dumps([one.purl for one in components])).hexdigest()
    own = {"type": "application", "bom-ref": "troth", "name": "troth", "version": __version__}
    refs = {one.name: one.purl for one in components}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{names}{at}')}",
        "version": 1,
        "metadata": {"timestamp": iso(at), "component": own, "tools": {"components": [own | {"bom-ref": "tool"}]}},
        "components": listed,
        "dependencies": [
            {"ref": "troth", "dependsOn": [one.purl for one in components if one.name != "troth"]},
            *(
                {"ref": one.purl, "dependsOn": [refs[name] for name in one.needs if name != one.name]}
                for one in components
            ),
        ],
    }  # fmt: skip


def _listed(one: Component) -> dict[str, Any]:
    licence = {"licenses": [{"license": {"name": one.licence}}]} if one.licence else {}
    return {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "purl": one.purl,
    } | licence


def digest(of: dict[str, Any]) -> str:
    """SHA-256 (hex) over the bill in canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(of)).hexdigest()
