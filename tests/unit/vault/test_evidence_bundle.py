"""Evidence bundles: what ties their files together, and how each way of bending one is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from database_world import opened
from log_world import TestKey, World
from troth.audit.export import export_log
from troth.audit.note import VerifierKey
from troth.audit.tlog_policy import TlogPolicy
from troth.audit.verify import Trust
from troth.kernel.errors import IntegrityError, Invalid
from troth.storage.blobs import LocalBlobs
from troth.vault.dsse import IN_TOTO, sign_envelope
from troth.vault.evidence_bundle import SIGNED, is_subject, sign_evidence, verify_bundle

PREDICATE: dict[str, Any] = {"made_at": 1, "promises": {"counts": {"kept": 1}, "data": []}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with opened("sqlite", folder) as database:
        made = World(database, LocalBlobs(folder / "blobs"), folder)
        made.grow(300, log="ten_a")
        export_log(made.resource("ten_a"), folder / "log")
        yield made
        made.sequencer.stop()


def signed(files: dict[str, bytes], key: TestKey) -> dict[str, bytes]:
    items = {name: sha256(content).hexdigest() for name, content in files.items() if is_subject(name)}
    return {**files, SIGNED: sign_evidence(items, PREDICATE, key)}


@pytest.fixture(scope="module")
def files(world: World) -> dict[str, bytes]:
    folder = world.folder / "log"
    log = {f"log/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {**log, "README.txt": b"read me"}


@pytest.fixture(scope="module")
def trust(world: World) -> Trust:
    return Trust(VerifierKey.parse(world.vkey("ten_a")))


def test_it_holds_with_and_without_a_proof(world: World, files: dict[str, bytes], trust: Trust) -> None:
    found = verify_bundle(signed(files, world.key), trust, trusted=files["log/checkpoint"])
    assert (found.log.size, found.log.compared, found.items) == (300, 300, ())
    assert found.told == PREDICATE
    proof = {"proofs/9.tlog-proof": world.prover.proof("ten_a", 9).encode()}
    proof["proofs/9.json"] = world.reader.entry("ten_a", 9)
    assert verify_bundle(signed({**files, **proof}, world.key), trust).items == ("proofs/9.tlog-proof",)
    proof["proofs/9.json"] = b"{}"
    with pytest.raises(IntegrityError, match=r"^proofs/9\.tlog-proof: Entry 9"):
        verify_bundle(signed({**files, **proof}, world.key), trust)


def test_a_pruned_log_holds_and_says_what_was_not_read(world: World, files: dict[str, bytes], trust: Trust) -> None:
    pruned = {name: one for name, one in files.items() if name != "log/tile/entries/000"} | {"log/minimum": b"256\n"}
    assert verify_bundle(signed(pruned, world.key), trust).log.read == 300 - 256
    for wrong in (b"0\n", b"255", b"x", b"9" * 30):
        with pytest.raises(IntegrityError, match=r"^log: "):
            verify_bundle(signed({**pruned, "log/minimum": wrong}, world.key), trust)
    with pytest.raises(IntegrityError, match=r"^log/minimum: "):
        verify_bundle({**signed(pruned, world.key), "log/minimum": b"257"}, trust)


def test_a_policy_alone_is_trust_enough(world: World, files: dict[str, bytes]) -> None:
    policy = TlogPolicy.parse(f"log {world.vkey('meta')}\nquorum none\n".encode())
    assert verify_bundle(signed(files, world.key), Trust(policy=policy)).log.size == 300
    with pytest.raises(Invalid, match="Ed25519"):
        verify_bundle(signed(files, world.key), Trust(policy=TlogPolicy.parse(b"quorum none\n")))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda files: {**files, SIGNED: b"{}"}, "evidence.json: "),
        (lambda files: {name: one for name, one in files.items() if name != SIGNED}, "evidence.json: "),
        (lambda files: {name: one for name, one in files.items() if name != "README.txt"}, "README.txt: it is missing"),
        (lambda files: {**files, "README.txt": b"read you"}, "README.txt: it is not what was signed"),
        (lambda files: {**files, "more": b""}, "more: nobody signed it"),
        (lambda files: {**files, "log/tile/0/007": b""}, "log/tile/0/007: the log does not need it"),
        (lambda files: {**files, "log/tile/0/000": bytes(8192)}, "log: Entry 0"),
    ],
)
def test_what_was_bent_is_named(world: World, files: dict[str, bytes], trust: Trust, change: Any, says: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify_bundle(change(signed(files, world.key)), trust)
    assert caught.value.advice.startswith(says)


@pytest.mark.parametrize(
    "statement",
    [
        {"subject": [], "predicateType": "urn:troth:erasure-certificate:v2", "predicate": PREDICATE},
        {"subject": [], "predicateType": "urn:troth:evidence-bundle:v1", "predicate": {}},
        {"subject": [{}], "predicateType": "urn:troth:evidence-bundle:v1", "predicate": PREDICATE},
        {"subject": 1, "predicateType": "urn:troth:evidence-bundle:v1", "predicate": PREDICATE},
        [],
    ],
)
def test_other_signed_statements_are_no_evidence(world: World, trust: Trust, statement: Any) -> None:
    with pytest.raises(IntegrityError, match="no statement of evidence"):
        verify_bundle({SIGNED: sign_envelope(statement, IN_TOTO, world.key)}, trust)


def test_a_certificate_that_is_none_is_named(world: World, files: dict[str, bytes], trust: Trust) -> None:
    bundle = signed({**files, "certificates/1.json": b"{}"}, world.key)
    with pytest.raises(IntegrityError, match=r"^certificates/1\.json: "):
        verify_bundle(bundle, trust)


def test_another_signer_does_not_hold(world: World, files: dict[str, bytes], trust: Trust) -> None:
    with pytest.raises(IntegrityError, match=r"^evidence\.json: "):
        verify_bundle(signed(files, TestKey(seed=b"\x09" * 32)), trust)
