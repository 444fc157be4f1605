"""The small parts of every OSCAL document: ids, texts, times, properties and metadata."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785

from troth.kernel.clock import iso
from troth.promises.oscal.assessed import Assessed

OSCAL = "1.2.3"
NAMESPACE = "urn:troth:oscal:v1"  # of properties that are ours
CATALOG, PROFILE, COMPONENTS, PLAN = "catalog.json", "profile.json", "component-definition.json", "assessment-plan.json"
SSP, RESULTS, POAM, MAPPING = (
    "system-security-plan.json",
    "assessment-results.json",
    "plan-of-action-and-milestones.json",
    "mapping-collection.json",
)
TOOL, OPERATOR = "assessment-tool", "system-operator"  # roles
_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_MARKED = re.compile(r"([\\`*_~^<>\[\]{}$!|#])")
_UNSPOKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MOST = 4000  # characters of one text


def name_of(*parts: str) -> str:
    """The version 5 UUID of a thing: the same thing has the same id in each document and each time."""
    return str(uuid.uuid5(_ROOT, "\x1f".join(parts)))


def line(text: str) -> str:
    """A text in one line, as string types want it: without control characters; "-" for an empty one."""
    spoken = " ".join(_UNSPOKEN.sub(" ", text).split())
    return spoken[:_MOST].strip() or "-"


def prose(text: str) -> str:
    """The same where OSCAL reads Markdown: what would be markup is escaped, so that no text can pretend."""
    return _MARKED.sub(r"\\\1", line(text))


def moment(at: int) -> str:
    """A time of epoch milliseconds in RFC 3339."""
    return iso(at)


def prop(name: str, value: object, **more: str) -> dict[str, Any]:
    """A property of ours."""
    return {"name": name, "ns": NAMESPACE, "value": line(str(value)), **more}


def control(promise: str) -> str:
    """The id of a control: that of its promise in small letters."""
    return promise.lower()


def statement(promise: str) -> str:
    """The id of what a control states."""
    return f"{control(promise)}_smt"


def objective(promise: str) -> str:
    """The id of how it is decided whether a control is kept."""
    return f"{control(promise)}_obj"


def metadata(told: Assessed, title: str) -> dict[str, Any]:
    """Who made a document, when, and which parties it speaks of."""
    return {
        "title": title,
        "last-modified": moment(told.end),
        "version": moment(told.end),
        "oscal-version": OSCAL,
        "props": [prop("software-version", told.system), prop("installation", told.origin)],
        "roles": [
            {"id": TOOL, "title": "The software that ran the checks"},
            {"id": OPERATOR, "title": "Who operates the service"},
        ],
        "parties": [
            {"uuid": tool(), "type": "organization", "name": "Troth"},
            {"uuid": operator(told), "type": "organization", "name": line(told.origin)},
        ],
        "responsible-parties": [{"role-id": OPERATOR, "party-uuids": [operator(told)]}],
    }


def tool() -> str:
    """The party that looked: the software."""
    return name_of("party", "troth")


def operator(told: Assessed) -> str:
    """The party that operates the service."""
    return name_of("party", told.origin)


def service(told: Assessed) -> str:
    """The component that is looked at."""
    return name_of("component", told.origin)


def document(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A document under its model's name; its id follows from its content."""
    digest = hashlib.sha256(rfc8785.dumps({kind: dict(body)})).hexdigest()
    return {kind: {"uuid": name_of("document", kind, digest), **body}}


def reviewed(promises: Sequence[str]) -> dict[str, Any]:
    """Which controls are looked at, and their objectives."""
    return {
        "control-selections": [{"include-controls": [{"control-id": control(one)} for one in promises]}],
        "control-objective-selections": [
            {"include-objectives": [{"objective-id": objective(one)} for one in promises]}
        ],
    }
