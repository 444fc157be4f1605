"""The evidence: what enters, what never enters, and a digest that moves with every member."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.access.evidence import CONTEXT_TYPES, evidence_of
from troth.kernel.caller import Authentication, Connection, Device
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Group, Operation
from unit.access.world import OPERATIONS, a_caller

OPERATION = OPERATIONS[Group.OWN_DATA, DataClass.ACCOUNT, "GET"]
CALLER = a_caller("user", ["member", "auditor"])


def test_every_declared_attribute_is_given_and_no_other() -> None:
    assert evidence_of(CALLER, OPERATION).context.keys() == CONTEXT_TYPES.keys()


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20), number=st.integers(0, 2**53 - 1))
def test_the_digest_is_sha256_over_canonical_json(text: str, number: int) -> None:
    evidence = evidence_of(CALLER, OPERATION)
    odd = dataclasses.replace(evidence, roles=(text,), context={**evidence.context, "zone": text, "assurance": number})
    for one in (evidence, odd):
        assert one.digest() == hashlib.sha256(rfc8785.dumps(dataclasses.asdict(one))).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "operator"},
        {"roles": frozenset({"owner"})},
        {"scopes": frozenset({"generate"})},
        {"tenant": None},
        {"jurisdiction": "us"},
        {"authentication": Authentication("password", 2, 60, "ses_1")},
        {"authentication": Authentication("password+totp", 1, 60, "ses_1")},
        {"authentication": Authentication("password+totp", 2, 61, "ses_1")},
        {"authentication": Authentication("passkey", 2, 60, "ses_1")},
        {"device": Device("mtls", "aa")},
        {"device": Device(age_seconds=1)},
        {"device": Device(posture="managed")},
        {"connection": Connection("TLSv1.3", "public", mtls=True)},
        {"connection": Connection("TLSv1.2", "public")},
        {"connection": Connection("TLSv1.3", "private")},
    ],
)
def test_the_digest_moves_with_every_fact(changes: dict[str, Any]) -> None:
    changed = evidence_of(dataclasses.replace(CALLER, **changes), OPERATION)
    assert changed.digest() != evidence_of(CALLER, OPERATION).digest()


def test_no_identifier_enters() -> None:
    caller = dataclasses.replace(CALLER, actor="usr_secret", subject="usr_secret", tenant="ten_secret")
    text = json.dumps(dataclasses.asdict(evidence_of(caller, OPERATION)))
    assert "secret" not in text
    assert evidence_of(caller, OPERATION).digest() == evidence_of(CALLER, OPERATION).digest()


def test_an_operation_without_a_route_does_not_count_as_reading() -> None:
    declaration = dataclasses.replace(OPERATION.declaration, route=None)
    assert evidence_of(CALLER, OPERATION).context["reads"] is True
    assert evidence_of(CALLER, Operation(declaration, OPERATION.run)).context["reads"] is False


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (12 * 3600, 720)])
def test_ages_are_rounded_up(seconds: int, minutes: int) -> None:
    caller = dataclasses.replace(CALLER, authentication=Authentication("password+totp", 2, seconds))
    assert evidence_of(caller, OPERATION).context["age_minutes"] == minutes
