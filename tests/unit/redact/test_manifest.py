"""The manifest: what it signs cannot change unnoticed (TRN-01)."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.kernel.errors import IntegrityError
from troth.redact.manifest import (
    MANIFEST,
    LocalSigner,
    key_id,
    open_for_training,
    read_manifest,
    root_digest,
    statement,
    verify_manifest,
    write_manifest,
)

SIGNER = LocalSigner(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
KEY = SIGNER.public_key


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    directory = tmp_path / "set"
    directory.mkdir()
    shards = []
    for name in ("shard-00000.jsonl", "shard-00001.jsonl"):
        (directory / name).write_text(f'{{"n": "{name}"}}\n')
        shards.append((name, hashlib.sha256((directory / name).read_bytes()).hexdigest()))
    write_manifest(directory, statement(shards, {"root": root_digest(shards)}), SIGNER)
    return directory


def test_it_opens(dataset: Path) -> None:
    opened = open_for_training(dataset, KEY)
    assert [name for name, _ in opened.shards()] == ["shard-00000.jsonl", "shard-00001.jsonl"]
    assert SIGNER.name == "local"


def test_every_changed_byte_is_noticed(dataset: Path) -> None:
    path = dataset / "shard-00001.jsonl"
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        with pytest.raises(IntegrityError) as caught:
            open_for_training(dataset, KEY)
        assert caught.value.field == "shard-00001.jsonl"


def test_a_change_after_opening_is_noticed(dataset: Path) -> None:
    opened = open_for_training(dataset, KEY)
    (dataset / "shard-00001.jsonl").write_text("{}\n")
    with pytest.raises(IntegrityError, match="after it was opened"):
        list(opened.shards())


def test_missing_extra_and_linked_files(dataset: Path) -> None:
    (dataset / "extra.jsonl").write_text("{}")
    with pytest.raises(IntegrityError, match="not on the manifest"):
        verify_manifest(dataset, KEY)
    (dataset / "extra.jsonl").unlink()
    (dataset / "shard-00000.jsonl").rename(dataset.parent / "elsewhere")
    (dataset / "shard-00000.jsonl").symlink_to(dataset.parent / "elsewhere")
    with pytest.raises(IntegrityError, match="shard-00000"):
        verify_manifest(dataset, KEY)
    (dataset / "shard-00000.jsonl").unlink()
    with pytest.raises(IntegrityError, match="shard-00000"):
        verify_manifest(dataset, KEY)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError) as caught:
        open_for_training(tmp_path, KEY)
    assert caught.value.code == "manifest-missing"


def test_another_key_or_an_edited_payload(dataset: Path) -> None:
    with pytest.raises(IntegrityError, match="signature"):
        read_manifest(dataset, LocalSigner(Ed25519PrivateKey.generate()).public_key)
    envelope = json.loads((dataset / MANIFEST).read_bytes())
    assert envelope["signatures"][0]["keyid"] == key_id(KEY)
    payload = base64.b64decode(envelope["payload"]).replace(b"shard-00001", b"shard-00009")
    (dataset / MANIFEST).write_text(json.dumps({**envelope, "payload": base64.b64encode(payload).decode()}))
    with pytest.raises(IntegrityError, match="signature"):
        read_manifest(dataset, KEY)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"payload": "%", "signatures": [], "payloadType": "x"}'])
def test_no_envelope(dataset: Path, raw: bytes) -> None:
    (dataset / MANIFEST).write_bytes(raw)
    with pytest.raises(IntegrityError):
        read_manifest(dataset, KEY)


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"{}",
        statement([("../../etc/passwd", "0" * 64)], {"root": ""}),
        statement([], {}),
        statement([], {"root": "x"}).replace(b"redaction-manifest", b"something-else"),
    ],
)
def test_signed_but_no_redaction_manifest(dataset: Path, payload: bytes) -> None:
    write_manifest(dataset, payload, SIGNER)
    with pytest.raises(IntegrityError, match="no redaction manifest"):
        read_manifest(dataset, KEY)


def test_the_root_must_follow(dataset: Path) -> None:
    files = read_manifest(dataset, KEY).files
    write_manifest(dataset, statement(files, {"root": "0" * 64}), SIGNER)
    with pytest.raises(IntegrityError, match="root"):
        verify_manifest(dataset, KEY)


def test_the_signature_is_dsse(dataset: Path) -> None:
    """Checked by hand against the DSSE protocol text: DSSEv1 SP LEN SP TYPE SP LEN SP BODY."""
    envelope = json.loads((dataset / MANIFEST).read_bytes())
    body = base64.b64decode(envelope["payload"])
    message = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(body)).encode() + b" " + body
    SIGNER.key.public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), message)
