"""What is there: the software as a component, and the installation as a system with its plan of security."""

from __future__ import annotations

from typing import Any

from troth.promises.catalogue import Promise
from troth.promises.oscal import words
from troth.promises.oscal.assessed import Assessed, Found

# "unknown" has none: what nobody saw is not said to be there.
_IMPLEMENTED = {
    "kept": "implemented",
    "kept with exception": "partial",
    "not kept": "partial",
    "not configured": "planned",
}


def components(told: Assessed) -> dict[str, Any]:
    """The software, and with which checks it looks at each promise."""
    implementation = {
        "uuid": words.name_of("control-implementation", "troth"),
        "source": words.CATALOG,
        "description": "What the software refuses, measures and keeps a register of.",
        "implemented-requirements": [_covered(told, one) for one in told.promises],
    }
    software = {
        "uuid": words.name_of("component", "troth"),
        "type": "software",
        "title": "Troth",
        "description": "Keeps the promises of a published paper and shows that it does.",
        "props": [{"name": "version", "value": words.line(told.system)}],
        "responsible-roles": [{"role-id": words.OPERATOR, "party-uuids": [words.operator(told)]}],
        "control-implementations": [implementation],
    }
    body = {"metadata": words.metadata(told, "Troth as a component"), "components": [software]}
    return words.document("component-definition", body)


def _covered(told: Assessed, promise: Promise) -> dict[str, Any]:
    checks = [one for one in told.checks if promise.id in one.promises]
    props = [words.prop("check", one.check, remarks=words.prose(one.looks_at)) for one in checks]
    requirement = {
        "uuid": words.name_of("requirement", "troth", promise.id),
        "control-id": words.control(promise.id),
        "description": words.prose(promise.acceptance),
    }
    return requirement | ({"props": props} if props else {"remarks": words.prose(promise.missing)})


def security_plan(told: Assessed) -> dict[str, Any]:
    """The installation: what it is, and how far each promise is met."""
    impact = {"base": "fips-199-high"}
    information = {
        "title": "Content and accounts of people",
        "description": "Prompts, files and results of people, and what is kept about them.",
        "confidentiality-impact": impact,
        "integrity-impact": impact,
        "availability-impact": {"base": "fips-199-moderate"},
    }
    characteristics = {
        "system-ids": [{"identifier-type": "https://ietf.org/rfc/rfc4122", "id": words.name_of("system", told.origin)}],
        "system-name": words.line(told.origin),
        "description": "A service for generating with AI models that keeps promises about security and privacy.",
        "security-sensitivity-level": "high",
        "system-information": {"information-types": [information]},
        "security-impact-level": {
            "security-objective-confidentiality": "fips-199-high",
            "security-objective-integrity": "fips-199-high",
            "security-objective-availability": "fips-199-moderate",
        },
        "status": {"state": "operational"},
        "authorization-boundary": {"description": "The installation with its database, stores and key domains."},
    }
    body = {
        "metadata": words.metadata(told, "The installation"),
        "import-profile": {"href": words.PROFILE},
        "system-characteristics": characteristics,
        "system-implementation": {
            "users": [{"uuid": words.name_of("user", told.origin), "title": "Operator", "role-ids": [words.OPERATOR]}],
            "components": [this_system(told)],
        },
        "control-implementation": {
            "description": "How far each promise is met, as its newest evidence shows.",
            "implemented-requirements": [_met(told, row) for row in told.found],
        },
    }
    return words.document("system-security-plan", body)


def this_system(told: Assessed) -> dict[str, Any]:
    """The installation as a component."""
    return {
        "uuid": words.service(told),
        "type": "this-system",
        "title": words.prose(told.origin),
        "description": "The installation that is looked at.",
        "status": {"state": "operational"},
    }


def _met(told: Assessed, row: Found) -> dict[str, Any]:
    by: dict[str, Any] = {
        "component-uuid": words.service(told),
        "uuid": words.name_of("by-component", told.origin, row.id),
        "description": words.prose(row.reason),
        "props": [words.prop("state", row.state)],
    }
    if row.state in _IMPLEMENTED:
        by["implementation-status"] = {"state": _IMPLEMENTED[row.state]}
    said = {
        "statement-id": words.statement(row.id),
        "uuid": words.name_of("statement", told.origin, row.id),
        "by-components": [by],
    }
    return {
        "uuid": words.name_of("requirement", told.origin, row.id),
        "control-id": words.control(row.id),
        "statements": [said],
    }
