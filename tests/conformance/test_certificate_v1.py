"""Certificates of version 1, as commit c503a65 (22 November 2026) issued them with test keys, go on verifying."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from log_world import TestKey
from troth.kernel.errors import IntegrityError
from troth.vault.certificate import verify_certificate, verify_subject
from troth.vault.certificate_form import BY_KEY, PREDICATES
from troth.vault.dsse import IN_TOTO, sign_envelope

VECTOR: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "certificate_v1.json").read_text())
SIGNERS = {name: bytes.fromhex(key) for name, key in VECTOR["signers"].items()}


@pytest.mark.parametrize(("name", "objects"), [("envelope", 2), ("shared", 1)])
def test_it_verifies_and_claims_no_more_than_it_did(name: str, objects: int) -> None:
    held = verify_certificate(VECTOR[name].encode(), SIGNERS, log_keys=[VECTOR["log_key"]])
    assert (held.version, held.objects.count, held.technique) == (1, objects, BY_KEY)
    assert (held.shut_at, held.destroyed_at, held.by_key, held.by_deletion, held.bundles) == (
        None,
        None,
        None,
        None,
        [],
    )


def test_the_salt_of_a_persons_copy_still_fits() -> None:
    held = verify_certificate(VECTOR["envelope"].encode(), SIGNERS)
    verify_subject(held, bytes.fromhex(VECTOR["salt"]), VECTOR["tenant"], VECTOR["subject"])


@pytest.mark.parametrize("change", [{"backups_away": []}, {"shut_at": "2026-11-22T12:00:00.000Z"}, {"technique": "x"}])
def test_nothing_of_version_2_hides_in_it(change: dict[str, Any]) -> None:
    key = TestKey()
    statement = json.loads(base64.b64decode(json.loads(VECTOR["envelope"])["payload"]))
    assert statement["predicateType"] == PREDICATES[1]
    statement["predicate"] |= change
    with pytest.raises(IntegrityError):
        verify_certificate(sign_envelope(statement, IN_TOTO, key), {key.name: key.public_key})
    statement["predicateType"] = PREDICATES[2]
    with pytest.raises(IntegrityError):
        verify_certificate(sign_envelope(statement, IN_TOTO, key), {key.name: key.public_key})
