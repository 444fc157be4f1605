"""The one decision point: Cedar in process, always with its schema, and no to everything but a clear yes.

Cedar skips a policy whose condition errors, which would let a `forbid` fall silent (cedar-policy/cedar#2428). Hence
the schema goes with every request, and any diagnostic error is a refusal (design note identity.md, 1e).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import cedarpy

from troth.access.evidence import Evidence, evidence_of
from troth.access.schema import PRINCIPALS, entities_of, schema_of
from troth.kernel.caller import Caller
from troth.kernel.dispatch import Decision
from troth.kernel.operation import Group, Operation

DEFAULT_DENY = "default-deny"  # no permit spoke for the request
UNDECIDABLE = "undecidable"  # a policy or the request was in error; the operator should look
# What a caller can do about the refusal of a policy, most pressing first (`kernel.dispatch` has the words).
_REMEDIES: Mapping[str, str] = {
    "second-factor": "second-factor-required",
    "bound-device": "device-unbound",
    "fresh-proof": "step-up-required",
}
_DECISIONS = 8192  # remembered; ages are whole minutes, so the oldest fall out by themselves
_RULESET = 16  # hex digits
_ROLE_SETS = 512  # distinct (kind, roles) slices kept; tenants share them, as roles are few


class _Question:
    """Evidence as a key: equal questions get the same answer."""

    __slots__ = ("_key", "evidence")

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        context = tuple(
            (name, type(value), tuple(value) if isinstance(value, list) else value)
            for name, value in evidence.context.items()
        )
        self._key = (evidence.kind, evidence.roles, evidence.action, evidence.data_class, context)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self._key == other._key


class BrokenPolicy(ValueError):
    """The policy set cannot be trusted to decide: the start is refused."""


class CedarDecider:
    """Implements `kernel.dispatch.Decider` over policies shipped with the package, or over those given.

    `policies` maps file names to Cedar texts. Raises `BrokenPolicy` for a policy that does not parse, does not fit the
    schema or has no `@id` of its own, and for a group that no policy permits to anybody; `UndeclaredAction` for an
    operation without a known group.
    """

    def __init__(self, operations: Iterable[Operation], policies: Mapping[str, str] | None = None) -> None:
        text = "\n".join(text for _, text in sorted((policies or shipped_policies()).items()))
        declared = tuple(operations)
        self._schema = cedarpy.Schema.from_json_str(json.dumps(schema_of(declared)))
        whole = cedarpy.Schema.from_json_str(json.dumps(schema_of(declared, every_group=True)))
        self._policies = _checked(text, whole)
        self.ruleset = hashlib.sha256(text.encode()).hexdigest()[:_RULESET]
        """Names the set of policies: the beginning of the SHA-256 over their texts."""
        self._entities = lru_cache(maxsize=_ROLE_SETS)(self._parse_entities)
        self._remembered = lru_cache(maxsize=_DECISIONS)(lambda question: self._judged(question.evidence))

    def decide(self, caller: Caller, operation: Operation) -> Decision:
        """Allow or not, with the ids of the policies that spoke and the digest of what they saw."""
        return self.judge(evidence_of(caller, operation))

    def judge(self, evidence: Evidence) -> Decision:
        """The decision over evidence. Never raises for a refused or malformed request: that is a no.

        Evidence carries no identity, so a decision is a pure function of it and is remembered.
        """
        try:
            return self._remembered(_Question(evidence))
        except TypeError:  # a value that cannot be compared is no evidence that a door builds
            return self._judged(evidence)

    def _judged(self, evidence: Evidence) -> Decision:
        digest = evidence.digest()
        if evidence.kind not in PRINCIPALS:
            return Decision(allowed=False, policies=(UNDECIDABLE,), evidence=digest)
        request = {
            "principal": {"type": PRINCIPALS[evidence.kind], "id": "caller"},
            "action": {"type": "Action", "id": evidence.action},
            "resource": {"type": "DataClass", "id": evidence.data_class},
            "context": dict(evidence.context),
        }
        slice_ = self._entities(evidence.kind, evidence.roles)
        answer = cedarpy.is_authorized(request, self._policies, slice_, self._schema)
        return replace(_decision(answer, digest), ruleset=self.ruleset)

    def _parse_entities(self, kind: str, roles: tuple[str, ...]) -> cedarpy.Entities:
        return cedarpy.Entities.from_json_str(json.dumps(entities_of(kind, roles)), self._schema)


def shipped_policies() -> dict[str, str]:
    """The policy files of this package, by name."""
    folder = files("troth.access") / "policies"
    return {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".cedar")}


def _decision(answer: cedarpy.AuthzResult, digest: str) -> Decision:
    diagnostics = answer.diagnostics
    if diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
        return Decision(allowed=False, policies=(UNDECIDABLE,), evidence=digest)
    spoke = tuple(sorted(diagnostics.id_annotations_by_reason.values())) or (DEFAULT_DENY,)
    if answer.decision is cedarpy.Decision.Allow:
        return Decision(allowed=True, policies=spoke, evidence=digest)
    return Decision(allowed=False, policies=spoke, evidence=digest, remedy=_remedy(spoke))


def _remedy(spoke: tuple[str, ...]) -> str | None:
    """What can be done, if everything that forbids can be mended by the caller."""
    codes = [code for policy, code in _REMEDIES.items() if policy in spoke]
    return codes[0] if codes and set(spoke) <= _REMEDIES.keys() else None


def _checked(text: str, schema: cedarpy.Schema) -> cedarpy.PolicySet:
    try:
        policies = cedarpy.PolicySet.from_str(text)
        described: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    except ValueError as error:
        raise BrokenPolicy("a policy file cannot be parsed") from error
    found = cedarpy.validate_policies(text, schema)
    if not found.validation_passed:
        raise BrokenPolicy(f"the policies do not fit the schema: {'; '.join(str(one) for one in found.errors)}")
    ids = [policy.get("annotations", {}).get("id") for policy in described.values()]
    if not all(ids) or len(set(ids)) != len(ids):
        raise BrokenPolicy("every policy needs an @id of its own")
    _check_every_group_is_permitted(described.values())
    return policies


def _check_every_group_is_permitted(described: Iterable[dict[str, Any]]) -> None:
    """A group that no permit names would refuse everybody for ever: a mistake to find at the start, not in use."""
    named: set[str] = set()
    for policy in described:
        scope = policy["action"]
        members = [scope["entity"]] if "entity" in scope else scope.get("entities", [])
        if policy["effect"] == "permit":
            named.update(member["id"] for member in members)
    forgotten = sorted(group.value for group in Group if group.value not in named)
    if forgotten:
        raise BrokenPolicy(f"no policy permits anything of: {', '.join(forgotten)}")
