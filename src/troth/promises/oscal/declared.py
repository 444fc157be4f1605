"""What is promised: the catalog, the profile that takes all of it, and the mapping to controls of NIST SP 800-53."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from troth.promises.catalogue import Promise
from troth.promises.oscal import words
from troth.promises.oscal.assessed import Assessed

METHODS = {"enforced": "TEST", "evidenced": "TEST", "recorded": "EXAMINE"}
_CONTROL = re.compile(r"^[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?$")
_NIST = "NIST SP 800-53 Rev. 5"
_PUBLISHED = "https://doi.org/10.6028/NIST.SP.800-53r5"


def catalog(told: Assessed) -> dict[str, Any]:
    """Each promise as a control, in a group for each family."""
    families = groupby(sorted(told.promises, key=lambda one: one.id), key=lambda one: one.family)
    groups = [
        {"id": family.lower(), "class": "family", "title": family, "controls": [_control(one) for one in members]}
        for family, members in families
    ]
    body = {"metadata": words.metadata(told, "Promises of the published papers"), "groups": groups}
    return words.document("catalog", body)


def _control(promise: Promise) -> dict[str, Any]:
    method = {
        "id": f"{words.control(promise.id)}_method",
        "name": "assessment-method",
        "props": [{"name": "method", "value": METHODS[promise.kind]}],
        "parts": [{"name": "assessment-objects", "prose": words.prose(promise.bound)}],
    }
    return {
        "id": words.control(promise.id),
        "class": "promise",
        "title": words.prose(promise.statement),
        "props": [
            {"name": "label", "value": promise.id},
            words.prop("kind", promise.kind),
            words.prop("capability", promise.capability),
            words.prop("implied", "yes" if promise.implied else "no"),
        ],
        "parts": [
            {"id": words.statement(promise.id), "name": "statement", "prose": words.prose(promise.statement)},
            {
                "id": words.objective(promise.id),
                "name": "assessment-objective",
                "prose": words.prose(promise.acceptance),
            },
            method,
        ],
    }


def profile(told: Assessed) -> dict[str, Any]:
    """All controls of the catalog, as they are."""
    body = {
        "metadata": words.metadata(told, "Every promise"),
        "imports": [{"href": words.CATALOG, "include-all": {}}],
        "merge": {"as-is": True},
    }
    return words.document("profile", body)


def mapping(told: Assessed) -> dict[str, Any]:
    """Which controls of NIST SP 800-53 a promise meets in part. No relation is claimed to be an equality."""
    resource = words.name_of("resource", _NIST)
    pairs = [(one, _targets(one)) for one in told.promises]
    maps = [
        {
            "uuid": words.name_of("map", promise.id, target),
            "relationship": "intersects-with",
            "sources": [{"type": "control", "id-ref": words.control(promise.id)}],
            "targets": [{"type": "control", "id-ref": target}],
        }
        for promise, targets in pairs
        for target in targets
    ]
    unmapped = [words.control(promise.id) for promise, targets in pairs if not targets]
    one: dict[str, Any] = {
        "uuid": words.name_of("mapping", _NIST),
        "source-resource": {"type": "catalog", "href": words.CATALOG},
        "target-resource": {"type": "catalog", "href": f"#{resource}"},
        "maps": maps,
    }
    if unmapped:
        gap = {"uuid": words.name_of("gap", _NIST), "unmapped-controls": [{"with-ids": unmapped}]}
        one["source-gap-summary"] = gap
    body = {
        "metadata": words.metadata(told, f"Promises beside {_NIST}"),
        "provenance": {
            "method": "human",
            "matching-rationale": "functional",
            "status": "not-complete",
            "mapping-description": "Read by people out of both texts; a promise meets a control in part.",
            "responsible-parties": [{"role-id": words.TOOL, "party-uuids": [words.tool()]}],
        },
        "mappings": [one],
        "back-matter": {"resources": [{"uuid": resource, "title": _NIST, "rlinks": [{"href": _PUBLISHED}]}]},
    }
    return words.document("mapping-collection", body)


def _targets(promise: Promise) -> list[str]:
    return sorted({_nist(one) for one in promise.references("nist80053") if _CONTROL.match(one)})


def _nist(reference: str) -> str:
    """`AC-6(10)` as that catalog names it: `ac-6.10`."""
    return reference.lower().replace("(", ".").replace(")", "")
