"""What no published schema looks at: whether the documents agree with each other and with themselves.

Each fault names the document, the place as a JSON pointer (RFC 6901) and a code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from troth.promises.oscal.words import MAPPING, NAMESPACE

_METHODS = {"EXAMINE", "INTERVIEW", "TEST"}
_ORDERED = (("start", "end"), ("collected", "expires"))
# member -> in which index what it names must stand, and the code where it does not
_UUIDS = (
    "observation-uuid risk-uuid finding-uuid component-uuid task-uuid activity-uuid actor-uuid subject-uuid "
    "implementation-statement-uuid party-uuid implementation-uuid provided-uuid responsibility-uuid"
).split()
_CONTROLS = ("control-id", "statement-id", "objective-id")
_SELF = ("observation-uuid", "risk-uuid", "finding-uuid")  # must stand in the same document


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong in one of the documents."""

    document: str
    where: str
    code: str


@dataclass(frozen=True, slots=True)
class _Known:
    """What the documents define: ids of things (per document and together), controls and their parts, files."""

    here: Mapping[str, frozenset[str]]
    anywhere: frozenset[str]
    controls: frozenset[str]
    parts: frozenset[str]
    roles: Mapping[str, frozenset[str]]
    resources: Mapping[str, frozenset[str]]
    versions: frozenset[str]


def faults(documents: Mapping[str, Mapping[str, Any]]) -> tuple[Fault, ...]:
    """Everything that is wrong in a set of documents (file name -> document), in order of names and places."""
    known = _known(documents)
    found = [Fault(name, "", "oscal-versions-differ") for name in sorted(documents) if len(known.versions) > 1]
    for name, document in sorted(documents.items()):
        found += [Fault(name, place, code) for place, code in _twice(document)]
        for place, one in _objects(document, ""):
            found += [Fault(name, f"{place}{where}", code) for where, code in _object(name, one, known, documents)]
        found += [Fault(name, place, code) for place, code in _findings(document)]
    return tuple(dict.fromkeys(found))


def _known(documents: Mapping[str, Mapping[str, Any]]) -> _Known:
    here, roles, resources, versions = {}, {}, {}, set()
    controls: set[str] = set()
    parts: set[str] = set()
    for name, document in documents.items():
        things = [one for _, one in _objects(document, "")]
        here[name] = frozenset(str(one["uuid"]) for one in things if "uuid" in one)
        body = next(iter(document.values()))
        roles[name] = frozenset(str(one.get("id")) for one in body.get("metadata", {}).get("roles", ()))
        resources[name] = frozenset(str(one.get("uuid")) for one in body.get("back-matter", {}).get("resources", ()))
        versions.add(str(body.get("metadata", {}).get("oscal-version")))
        for one in things if "catalog" in document else ():
            if one.get("class") == "promise":
                controls.add(str(one.get("id")))
                parts |= {str(part.get("id")) for part in one.get("parts", ())}
    together = frozenset().union(*here.values()) if here else frozenset()
    return _Known(here, together, frozenset(controls), frozenset(parts), roles, resources, frozenset(versions))


def _objects(value: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every object of a document with its pointer."""
    if isinstance(value, Mapping):
        yield place, value
        for name, one in value.items():
            yield from _objects(one, f"{place}/{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _objects(one, f"{place}/{number}")


def _twice(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """An id that two things of one document have. Platforms and components of parts repeat one another on purpose."""
    seen: dict[str, Mapping[str, Any]] = {}
    for place, one in _objects(document, ""):
        name = one.get("uuid")
        if isinstance(name, str) and seen.setdefault(name, one) != one:
            yield place, "uuid-twice"


def _object(
    document: str, one: Mapping[str, Any], known: _Known, documents: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for member in _UUIDS:
        ids = known.here[document] if member in _SELF else known.anywhere
        if member in one and one[member] not in ids:
            yield f"/{member}", "dangling-uuid"
    for number, party in enumerate(one.get("party-uuids", ())):
        if party not in known.here[document]:
            yield f"/party-uuids/{number}", "dangling-uuid"
    roles = [*_texts(one.get("role-ids", ())), *_texts([one["role-id"]] if "role-id" in one else ())]
    if not known.roles[document].issuperset(roles):
        yield "", "unknown-role"
    yield from _controlled(document, one, known)
    yield from _methods(one)
    yield from _times(one)
    if "href" in one and not _leads(str(one["href"]), known.resources[document], documents):
        yield "/href", "dangling-href"


def _texts(values: Iterable[Any]) -> list[str]:
    return [str(one) for one in values]


def _controlled(document: str, one: Mapping[str, Any], known: _Known) -> Iterator[tuple[str, str]]:
    """Controls, statements and objectives that the catalog does not have."""
    named = {member: one[member] for member in _CONTROLS if member in one}
    if one.get("type") == "objective-id" and "target-id" in one:
        named["target-id"] = one["target-id"]
    for member, value in named.items():
        if value not in (known.controls if member == "control-id" else known.parts):
            yield f"/{member}", "not-in-catalog"
    for number, source in enumerate(one.get("sources", ()) if document == MAPPING else ()):
        if source.get("id-ref") not in known.controls:
            yield f"/sources/{number}", "not-in-catalog"


def _methods(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = list(one.get("methods", ()))
    if one.get("name") == "method" and "value" in one:
        given.append(one["value"])
    if not _METHODS.issuperset(_texts(given)):
        yield "", "unknown-method"


def _times(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for first, last in _ORDERED:
        if first in one and last in one and _read(one[last]) < _read(one[first]):
            yield f"/{last}", "ends-before-it-starts"


def _read(text: Any) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:  # the schema names it
        return 0.0


def _leads(href: str, resources: frozenset[str], documents: Mapping[str, Any]) -> bool:
    """Whether a reference leads somewhere: to a resource, to a document of the set, or out of it by a full address."""
    if href.startswith("#"):
        return href[1:] in resources
    return ":" in href or href in documents


def _findings(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Satisfied without an observation, or on one that did not pass."""
    things = list(_objects(document, ""))
    observed = {one["uuid"]: one for _, one in things if "collected" in one and "uuid" in one}
    for place, one in things:
        target = one.get("target")
        if not isinstance(target, Mapping) or target.get("status", {}).get("state") != "satisfied":
            continue
        seen = [observed.get(ref.get("observation-uuid"), {}) for ref in one.get("related-observations", ())]
        enough = {"pass", "fail"} if _said(one, "state") == "kept with exception" else {"pass"}
        if not seen or not enough.issuperset(_said(found, "verdict") for found in seen):
            yield place, "satisfied-by-nothing"


def _said(one: Mapping[str, Any], name: str) -> str:
    """A property of ours."""
    return next((str(prop.get("value")) for prop in one.get("props", ()) if _ours(prop, name)), "")


def _ours(prop: Mapping[str, Any], name: str) -> bool:
    return prop.get("ns") == NAMESPACE and prop.get("name") == name
