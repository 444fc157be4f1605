"""Redaction policies: one written decision for every category of the taxonomy (promise TRN-03)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Self

import rfc8785
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from troth.kernel.errors import Invalid, NotFound
from troth.redact.detect.kinds import CATEGORIES, KINDS, covered_categories


class Action(StrEnum):
    """What happens to a find."""

    REMOVE = "remove"  # nothing in its place
    MASK = "mask"  # one block for each character
    LABEL = "label"  # <EMAIL>
    PSEUDONYM = "pseudonym"  # <PERSON_k3f9q2mz>, the same for the same value within one data set
    KEEP = "keep"  # stays, for a written reason


class Decision(BaseModel):
    """The decision on one category; `keep` carries its reason, which readers of the trust page will see."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Action
    reason: str = ""


class Policy(BaseModel):
    """A complete policy, built by `parse_policy`, which refuses a gap: `decisions` has every category."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    version: int = Field(ge=1)
    min_recall: float = Field(
        default=0.9, ge=0.0, le=1.0
    )  # a data set whose lower 95 % bound is below is not published
    decisions: Mapping[str, Decision]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        findings = _findings(self.decisions)
        if findings:
            raise ValueError(findings[0])
        return self

    def action(self, kind: str) -> Action:
        """What to do with a find of `kind`; an unknown kind is refused, never kept.

        Raises Invalid for a kind outside the table.
        """
        known = KINDS.get(kind)
        if known is None:
            raise Invalid(
                "A detector named a kind that the taxonomy does not have; add it to the table of kinds.",
                code="unknown-kind",
            )
        return self.decisions[known.category].action

    def needs_key(self) -> bool:
        """Whether any decision is a pseudonym."""
        return any(d.action is Action.PSEUDONYM for d in self.decisions.values())

    def digest(self) -> str:
        """SHA-256 (hex) over the policy's canonical JSON (RFC 8785)."""
        return hashlib.sha256(rfc8785.dumps(self.model_dump(mode="json"))).hexdigest()


def _findings(decisions: Mapping[str, Decision]) -> list[str]:
    """Everything wrong with a set of decisions, in the order of the taxonomy."""
    covered = covered_categories()
    found = [f"The policy names an unknown category: {name}." for name in decisions if name not in CATEGORIES]
    for name in CATEGORIES:
        decision = decisions.get(name)
        if decision is None:
            found.append(
                f"The policy decides nothing for the category {name}; name remove, mask, label, pseudonym or keep."
            )
        elif decision.action is Action.KEEP and len(decision.reason.strip()) < 10:
            found.append(f"The policy keeps the category {name} without a reason; write one.")
        elif decision.action is not Action.KEEP and name not in covered:
            found.append(
                f"No detector finds the category {name} yet, so the policy cannot promise to {decision.action} it; "
                "keep it with a reason."
            )
    return found


def _decision(value: Any) -> Decision:
    """`label`, or `{keep: why}`."""
    if isinstance(value, str):
        return Decision(action=Action(value))
    if isinstance(value, dict) and list(value) == ["keep"] and isinstance(value["keep"], str):
        return Decision(action=Action.KEEP, reason=value["keep"])
    raise ValueError


def _read(text: str) -> tuple[dict[str, Any], dict[str, Decision], list[str]]:
    """(the header fields, the decisions, what could not be read)."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Invalid("The policy is not YAML.", code="policy-invalid") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("decisions"), dict):
        raise Invalid("The policy needs the fields name, version and decisions.", code="policy-invalid")
    decisions, unread = {}, []
    for name, value in raw.pop("decisions").items():
        try:
            decisions[str(name)] = _decision(value)
        except ValueError:
            unread.append(f"The decision on {name} is none of remove, mask, label, pseudonym, or keep with its reason.")
    return raw, decisions, unread


def lint(text: str) -> list[str]:
    """Every finding about a policy text, one sentence each and naming the category; an empty list means complete.

    Raises Invalid when the text is no policy at all.
    """
    _, decisions, unread = _read(text)
    unread_names = {sentence.split()[3] for sentence in unread}
    return unread + [f for f in _findings(decisions) if not any(f"category {name};" in f for name in unread_names)]


def parse_policy(text: str) -> Policy:
    """A policy from YAML. Raises Invalid (code `policy-incomplete`) naming the first category without a decision."""
    findings = lint(text)
    if findings:
        raise Invalid(findings[0], code="policy-incomplete", field="decisions")
    header, decisions, _ = _read(text)
    try:
        return Policy.model_validate({**header, "decisions": decisions})
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "policy"
        raise Invalid(f"The policy's field {where} is not acceptable.", code="policy-invalid", field=where) from error


def load_policy(path: Path) -> Policy:
    """A policy from a YAML file. Raises NotFound or Invalid."""
    try:
        return parse_policy(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFound("The policy file cannot be read.", code="policy-not-found") from error


@lru_cache(maxsize=4)
def _shipped(name: str) -> Policy:
    return parse_policy(
        resources.files("troth.redact").joinpath("policies", f"{name}.yaml").read_text(encoding="utf-8")
    )


def training_policy() -> Policy:
    """The default for data sets that train models."""
    return _shipped("training")


def vendor_policy() -> Policy:
    """The default for prompts that go to a vendor: what the vendor need not see."""
    return _shipped("vendor")
