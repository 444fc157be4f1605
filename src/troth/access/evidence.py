"""What the policy sees of a request, and the digest by which the audit record names it.

Everything is an enum, a number or a truth value: no id, name or address enters, so a policy cannot be about one person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from troth.kernel.caller import Caller
from troth.kernel.operation import Operation

_READING = frozenset({"GET", "HEAD"})
_DAY_SECONDS = 86_400

# Attribute -> Cedar type. The schema declares exactly these, all required: a request that lacks one is not judged.
CONTEXT_TYPES: Mapping[str, str] = {
    "assurance": "Long",
    "method": "String",
    "age_minutes": "Long",
    "phishing_resistant": "Boolean",
    "device": "String",
    "device_age_days": "Long",
    "posture": "String",
    "tls": "String",
    "mtls": "Boolean",
    "zone": "String",
    "tenant_bound": "Boolean",
    "jurisdiction": "String",
    "scopes": "Set",
    "reads": "Boolean",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One question to the policy: a principal (kind and roles), an action, a class of data and the circumstances."""

    kind: str
    roles: tuple[str, ...]
    action: str
    data_class: str
    context: Mapping[str, Any]

    def digest(self) -> str:
        """SHA-256, hex, over the canonical JSON (RFC 8785) of this evidence."""
        seen: dict[str, Any] = {
            "kind": self.kind,
            "roles": list(self.roles),
            "action": self.action,
            "data_class": self.data_class,
            "context": dict(self.context),
        }
        # Text, whole numbers and truth values under plain names: sorted and without space this is RFC 8785's form.
        canonical = json.dumps(seen, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def evidence_of(caller: Caller, operation: Operation) -> Evidence:
    """The evidence of one request. Ages are rounded up to whole minutes or days; an absent fact is the text "none"."""
    authentication, connection = caller.authentication, caller.connection
    declaration = operation.declaration
    context = {
        "assurance": authentication.assurance,
        "method": authentication.method,
        "age_minutes": -(-authentication.age_seconds // 60),
        "phishing_resistant": authentication.phishing_resistant,
        "device": caller.device.bound or "none",
        "device_age_days": -(-caller.device.age_seconds // _DAY_SECONDS),
        "posture": caller.device.posture,
        "tls": connection.tls or "none",
        "mtls": connection.mtls,
        "zone": connection.zone,
        "tenant_bound": caller.tenant is not None,
        "jurisdiction": caller.jurisdiction,
        "scopes": sorted(caller.scopes),
        "reads": declaration.route is not None and declaration.route.method in _READING,
    }
    return Evidence(
        kind=caller.kind,
        roles=tuple(sorted(caller.roles)),
        action=declaration.name,
        data_class=declaration.data_class.value,
        context=context,
    )
