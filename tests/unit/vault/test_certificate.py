"""The certificate as a stranger checks it: every kind of forgery is refused, and the refusal names what fails."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from log_world import TestKey
from troth.kernel.errors import IntegrityError
from troth.vault.certificate import LISTED, listed, verify_certificate
from troth.vault.certificate_form import BY_DELETION
from troth.vault.dsse import IN_TOTO, MAX_ENVELOPE, sign_envelope
from vault_world import VaultWorld
from worlds import sqlite


@dataclass(frozen=True)
class Issued:
    envelope: bytes
    keys: dict[str, bytes]
    log_key: str
    key: TestKey

    @property
    def statement(self) -> dict[str, Any]:
        return dict(json.loads(base64.b64decode(json.loads(self.envelope)["payload"])))

    def forged(self, change: Callable[[dict[str, Any]], None]) -> bytes:
        """Changed claims, signed by the right key: a lying issuer."""
        statement = self.statement
        change(statement)
        return sign_envelope(statement, IN_TOTO, self.key)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issued]:
    folder: Path = tmp_path_factory.mktemp("certificate")
    world = VaultWorld(sqlite(folder), folder)
    for _ in range(3):
        world.keep()
    world.notebook.lines["ten_" + "a" * 26, "usr_" + "c" * 26] = ["x"]
    done = world.erase()
    envelope = world.erasures.certificate(done.tenant, done.certificate or "")
    yield Issued(envelope, world.keys(), world.log_key(), world.key)
    world.close()
    world.database.close()


def refused(issued: Issued, envelope: bytes, code: str, **options: Any) -> None:
    with pytest.raises(IntegrityError) as refusal:
        verify_certificate(envelope, options.pop("keys", issued.keys), log_keys=[issued.log_key], **options)
    assert refusal.value.code == code


def test_holds_offline(issued: Issued) -> None:
    certificate = verify_certificate(issued.envelope, issued.keys, log_keys=[issued.log_key])
    assert certificate.technique.startswith("cryptographic erase per NIST SP 800-88 Rev. 2")
    assert issued.statement["_type"] == "https://in-toto.io/Statement/v1"
    assert issued.statement["subject"][0]["digest"]["sha256"] == certificate.subject_commitment


def test_unknown_signer_is_refused(issued: Issued) -> None:
    refused(issued, issued.envelope, "envelope-signer", keys={"other": issued.key.public_key})
    refused(issued, issued.envelope, "envelope-signature", keys={issued.key.name: TestKey(seed=b"x" * 32).public_key})


def test_altered_payload_is_refused(issued: Issued) -> None:
    envelope = json.loads(issued.envelope)
    statement = issued.statement
    statement["predicate"]["objects"]["count"] = 2
    envelope["payload"] = base64.b64encode(rfc8785.dumps(statement)).decode()
    refused(issued, rfc8785.dumps(envelope), "envelope-signature")


def test_payload_that_is_not_canonical_is_refused(issued: Issued) -> None:
    body = json.dumps(issued.statement, indent=1).encode()
    kind = IN_TOTO.encode()
    signature = issued.key.sign(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body))
    envelope = {
        "payload": base64.b64encode(body).decode(),
        "payloadType": IN_TOTO,
        "signatures": [{"keyid": issued.key.name, "sig": base64.b64encode(signature).decode()}],
    }
    refused(issued, json.dumps(envelope).encode(), "envelope-payload")


def test_payload_that_is_no_json_is_refused(issued: Issued) -> None:
    kind, body = IN_TOTO.encode(), b"{"
    signature = issued.key.sign(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body))
    envelope = json.loads(issued.envelope) | {"payload": base64.b64encode(body).decode()}
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    refused(issued, json.dumps(envelope).encode(), "envelope-payload")


def test_enormous_file_is_refused_unread(issued: Issued) -> None:
    refused(issued, b" " * MAX_ENVELOPE + issued.envelope, "envelope-shape")


def test_other_payload_type_is_refused(issued: Issued) -> None:
    refused(issued, sign_envelope(issued.statement, "text/plain", issued.key), "envelope-type")


def _put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(statement: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place: Any = statement["predicate"]
        for step in parents:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("technique", "deleted some rows", "certificate-technique"),
        ("technique", BY_DELETION, "certificate-technique"),
        ("by_deletion", None, "certificate-counts"),
        ("by_key.count", 2, "certificate-counts"),
        ("destroyed_at", "2026-01-01T00:00:00.000Z", "certificate-technique"),
        ("destroyed_at", None, "certificate-technique"),
        ("shut_at", None, "certificate-shape"),
        ("backups_away", "place-1", "certificate-shape"),
        ("algorithm", "AES-128-CBC", "certificate-shape"),
        ("scope", "galaxy", "certificate-shape"),
        ("scope", "tenant", "certificate-approvals"),
        ("approvals", [], "certificate-approvals"),
        ("strength", 128, "certificate-shape"),
        ("assurance", {"local": "A2"}, "certificate-keys"),
        ("backups_covered.count", 3, "certificate-digest"),
        ("released.digest", "0" * 64, "certificate-digest"),
        ("surprise", 1, "certificate-shape"),
        ("erasure", "ers_other", "certificate-shape"),
        ("subject_commitment", "0" * 64, "certificate-shape"),
        ("verification.keys_refused", 1, "certificate-verification"),
        ("verification.objects_refused", 0, "certificate-verification"),
        ("keys.roots", [], "certificate-keys"),
        ("keys.epoch_after", 0, "certificate-keys"),
        ("keys.units", 7, "certificate-entry"),
        ("classes", {"user-generated": 2}, "certificate-counts"),
        ("objects.identifiers", ["obj_a", "obj_b", "obj_c"], "certificate-digest"),
        ("forgotten.0.dropped.count", 9, "certificate-digest"),
        ("tenant", "ten_other", "certificate-entry"),
        ("log.entry", base64.b64encode(b"{}").decode(), "certificate-entry"),
        ("log.entry", "?", "certificate-entry"),
        ("log.log", "ten_other", "certificate-entry"),
        ("log.proof", "c2sp.org/tlog-proof@v1\n", "bad-proof"),
    ],
)
def test_lying_issuer_is_caught(issued: Issued, path: str, value: Any, code: str) -> None:
    refused(issued, issued.forged(_put(path, value)), code)


def test_missing_member_is_named(issued: Issued) -> None:
    with pytest.raises(IntegrityError, match=r"keys\.roots"):
        verify_certificate(issued.forged(lambda one: one["predicate"]["keys"].pop("roots")), issued.keys)


def test_statement_without_predicate_is_refused(issued: Issued) -> None:
    refused(issued, issued.forged(lambda one: one.pop("predicate")), "certificate-shape")
    refused(issued, sign_envelope([1], IN_TOTO, issued.key), "certificate-shape")
    refused(issued, issued.forged(lambda one: one.update(predicateType="x")), "certificate-shape")


def test_entry_that_is_not_in_the_log_is_refused(issued: Issued) -> None:
    def later(statement: dict[str, Any]) -> None:
        log = statement["predicate"]["log"]
        entry = json.loads(base64.b64decode(log["entry"])) | {"time": 1}
        log["entry"] = base64.b64encode(rfc8785.dumps(entry)).decode()

    refused(issued, issued.forged(later), "log-broken")


def test_untrusted_log_is_refused(issued: Issued) -> None:
    stranger = issued.log_key.replace("troth.test", "troth.other")
    with pytest.raises(IntegrityError) as refusal:
        verify_certificate(issued.envelope, issued.keys, log_keys=[stranger])
    assert refusal.value.code == "certificate-log"


@given(noise=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(IntegrityError):
        verify_certificate(noise, {"a": b"k" * 32})


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_is_accepted_as_something_else(issued: Issued, place: int, bit: int) -> None:
    changed = bytearray(issued.envelope)
    changed[place % len(changed)] ^= 1 << bit
    try:
        read = verify_certificate(bytes(changed), issued.keys, log_keys=[issued.log_key])
    except IntegrityError:
        return
    assert read == verify_certificate(issued.envelope, issued.keys)


def test_long_lists_are_cut_but_counted() -> None:
    many = listed([f"obj_{number}" for number in range(LISTED + 5)])
    assert (many.count, len(many.identifiers)) == (LISTED + 5, LISTED)
    assert many.digest != listed([f"obj_{number}" for number in range(LISTED)]).digest
