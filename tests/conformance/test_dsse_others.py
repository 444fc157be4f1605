"""DSSE both ways with securesystemslib: it opens the envelopes of our runs, and we open what it makes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from log_world import TestKey
from troth.kernel.errors import IntegrityError
from troth.promises.check import Result
from troth.promises.runs import STATEMENT, Run, statement, summary
from troth.vault.dsse import IN_TOTO, envelope, sign_envelope, signature_over, verify_envelope

OURS = TestKey()
RUN = Run(
    "tls-minimum", 1_790_000_000_000, Result.PASS, Result.FAIL, 3, 3, "ab" * 32, "req_a", 7, 1_790_000_000_000,
    "cd" * 32, {"listeners": 3}, 2, "0.1.0",
)  # fmt: skip


def known(key: TestKey) -> SSlibKey:
    return SSlibKey(key.name, "ed25519", "ed25519", {"public": key.public_key.hex()})


@pytest.fixture
def kept() -> dict[str, Any]:
    """The envelope of a run as the store gives it: made again from the row and the 64 bytes of its signature."""
    told = statement(RUN)
    made: dict[str, Any] = json.loads(envelope(told, IN_TOTO, OURS.name, signature_over(told, IN_TOTO, OURS)))
    return made


def test_another_tool_opens_the_envelope_of_a_run(kept: dict[str, Any]) -> None:
    opened = Envelope.from_dict(kept)
    assert set(opened.verify([known(OURS)], 1)) == {OURS.name}
    payload = json.loads(opened.payload)
    assert (payload["_type"], payload["subject"][0]["digest"]["sha256"]) == (STATEMENT, RUN.link)


def test_another_tool_opens_the_summary_of_a_run() -> None:
    opened = Envelope.from_dict(json.loads(sign_envelope(summary(RUN, "urn:troth"), IN_TOTO, OURS)))
    assert opened.verify([known(OURS)], 1)


def test_another_tool_refuses_it_once_it_is_bent(kept: dict[str, Any]) -> None:
    told = json.loads(base64.b64decode(kept["payload"]))
    told["predicate"]["result"] = "fail"
    kept["payload"] = base64.b64encode(rfc8785.dumps(told)).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(kept).verify([known(OURS)], 1)


def test_another_tool_refuses_another_key(kept: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        Envelope.from_dict(kept).verify([known(TestKey(seed=b"\x08" * 32))], 1)


def theirs(payload: bytes) -> tuple[bytes, dict[str, bytes]]:
    """An envelope that securesystemslib made and signed, with the key that verifies it."""
    private = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    signer = CryptoSigner(private)
    made = Envelope(payload, IN_TOTO, {})
    made.sign(signer)
    keys = {signer.public_key.keyid: private.public_key().public_bytes_raw()}
    return json.dumps(made.to_dict()).encode(), keys


def test_we_open_what_another_tool_made() -> None:
    made, keys = theirs(rfc8785.dumps(statement(RUN)))
    assert verify_envelope(made, IN_TOTO, keys) == statement(RUN)


def test_we_refuse_what_another_tool_made_once_it_is_bent() -> None:
    made, keys = theirs(rfc8785.dumps(statement(RUN)))
    bent = json.loads(made)
    bent["payload"] = base64.b64encode(rfc8785.dumps({**statement(RUN), "subject": []})).decode()
    with pytest.raises(IntegrityError, match="does not hold"):
        verify_envelope(json.dumps(bent).encode(), IN_TOTO, keys)


def test_we_refuse_json_of_another_tool_that_two_readers_could_read_differently() -> None:
    made, keys = theirs(json.dumps(statement(RUN), indent=1).encode())
    with pytest.raises(IntegrityError, match="canonical"):
        verify_envelope(made, IN_TOTO, keys)
