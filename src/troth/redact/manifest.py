"""The signed manifest of a training set: an in-toto Statement v1 in a DSSE envelope (secure-systems-lab/dsse v1.0.2).

Whoever trains opens the set with `open_for_training`, which refuses a directory without a manifest, with one changed
byte, or with one file too many (TRN-01). Verification raises; it never returns a bool.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from troth.kernel.errors import IntegrityError
from troth.kernel.signer import Signer
from troth.redact.files import sha256_file, write_atomically

MANIFEST = "manifest.dsse.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:troth:redaction-manifest:v1"
_MANIFEST_BYTES = 64 << 20  # a manifest beyond this is none of ours


@dataclass(frozen=True)
class LocalSigner:
    """A signer with the private key in memory, for the command line without a server."""

    key: Ed25519PrivateKey

    @property
    def name(self) -> str:
        """Said so in the manifest: a key of this machine, not of the key tree."""
        return "local"

    @property
    def public_key(self) -> bytes:
        """The 32 raw public bytes."""
        return self.key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature over `message`."""
        return self.key.sign(message)


def key_id(public_key: bytes) -> str:
    """SHA-256 (hex) of the raw public key."""
    return hashlib.sha256(public_key).hexdigest()


def root_digest(shards: Sequence[tuple[str, str]]) -> str:
    """SHA-256 (hex) over the shards in order, one line `sha256  name` each, as `sha256sum` writes them."""
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in shards).encode()).hexdigest()


def statement(subjects: Sequence[tuple[str, str]], predicate: Mapping[str, Any]) -> bytes:
    """Canonical JSON (RFC 8785) of the statement about files (name, SHA-256 hex)."""
    body: Any = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    }
    return rfc8785.dumps(body)


def _pre_authentication(payload: bytes) -> bytes:
    """PAE of DSSE: what is signed names its own type and lengths."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def signed_envelope(payload: bytes, signer: Signer) -> bytes:
    """`payload` in a DSSE envelope, signed."""
    envelope: Any = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {
                "keyid": key_id(signer.public_key),
                "sig": base64.b64encode(signer.sign(_pre_authentication(payload))).decode(),
            }
        ],
    }
    return rfc8785.dumps(envelope) + b"\n"


def write_manifest(directory: Path, payload: bytes, signer: Signer) -> None:
    """Sign `payload` and put the envelope into `directory` in one step."""
    write_atomically(directory / MANIFEST, signed_envelope(payload, signer))


def read_envelope(document: bytes, public_key: bytes) -> dict[str, Any]:
    """The JSON object in a DSSE envelope that `public_key` signed. Raises IntegrityError."""
    if len(document) > _MANIFEST_BYTES:
        raise IntegrityError("The document is larger than any of ours.", code="manifest-malformed")
    try:
        return dict(json.loads(_signed_payload(document, public_key)))
    except (ValueError, TypeError) as error:
        raise IntegrityError("The document is signed but cannot be read.", code="manifest-malformed") from error


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose signature held. `files`: (name, SHA-256 hex) in order."""

    files: tuple[tuple[str, str], ...]
    predicate: Mapping[str, Any]

    @property
    def root(self) -> str:
        """The root digest over the shards."""
        return str(self.predicate["root"])


def read_manifest(directory: Path, public_key: bytes) -> Manifest:
    """The manifest of `directory` if `public_key` (Ed25519, 32 raw bytes) signed it. Raises IntegrityError."""
    path = directory / MANIFEST
    if not path.is_file() or path.stat().st_size > _MANIFEST_BYTES:
        raise IntegrityError(
            "This directory has no redaction manifest; it must not be trained on.", code="manifest-missing"
        )
    payload = _signed_payload(path.read_bytes(), public_key)
    try:
        body = json.loads(payload)
        files = tuple((str(s["name"]), str(s["digest"]["sha256"])) for s in body["subject"])
        predicate = dict(body["predicate"])
        sound = body["_type"] == STATEMENT_TYPE and body["predicateType"] == PREDICATE_TYPE and "root" in predicate
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            "The manifest is signed but is no redaction manifest.", code="manifest-malformed"
        ) from error
    if not sound or any("/" in name or name in ("", ".", "..", MANIFEST) for name, _ in files):
        raise IntegrityError("The manifest is signed but is no redaction manifest.", code="manifest-malformed")
    return Manifest(files, predicate)


def _signed_payload(raw: bytes, public_key: bytes) -> bytes:
    """The payload, once one of the signatures holds under `public_key`."""
    try:
        envelope = json.loads(raw)
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(s["sig"], validate=True) for s in envelope["signatures"]]
        ours = envelope["payloadType"] == PAYLOAD_TYPE
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise IntegrityError("The manifest cannot be read as a signed envelope.", code="manifest-malformed") from error
    for signature in signatures if ours else ():
        try:
            key.verify(signature, _pre_authentication(payload))
        except InvalidSignature:
            continue
        return payload
    raise IntegrityError("No signature of the manifest holds under the given key.", code="manifest-signature")


def verify_manifest(directory: Path, public_key: bytes) -> Manifest:
    """Check signature, every file's digest in order, the root, and that no other file is there.

    Raises IntegrityError; its `field` is the name of the first file that differs.
    """
    manifest = read_manifest(directory, public_key)
    for name, digest in manifest.files:
        path = directory / name
        if path.is_symlink() or not path.is_file() or sha256_file(path) != digest:
            raise IntegrityError(
                f"The file {name} is not the one that the manifest lists.", code="dataset-changed", field=name
            )
    listed = {name for name, _ in manifest.files} | {MANIFEST}
    for path in sorted(directory.iterdir()):
        if path.name not in listed:
            raise IntegrityError(
                f"The file {path.name} is not on the manifest.", code="dataset-changed", field=path.name
            )
    if root_digest([f for f in manifest.files if f[0].startswith(("shard-", "media-"))]) != manifest.root:
        raise IntegrityError("The root digest does not follow from the shards.", code="dataset-changed", field=MANIFEST)
    return manifest


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A verified set. `read` hashes what it hands out, so that a change after opening is noticed too."""

    directory: Path
    manifest: Manifest

    def shards(self) -> Iterator[tuple[str, bytes]]:
        """(name, content) of each shard in order. Raises IntegrityError on a byte that changed since."""
        yield from self._files("shard-")

    def media(self) -> Iterator[tuple[str, bytes]]:
        """(name, content) of each picture and video in order. Raises as `shards`."""
        yield from self._files("media-")

    def _files(self, kind: str) -> Iterator[tuple[str, bytes]]:
        for name, digest in self.manifest.files:
            if name.startswith(kind):
                content = (self.directory / name).read_bytes()
                if hashlib.sha256(content).hexdigest() != digest:
                    raise IntegrityError(
                        f"The file {name} changed after it was opened.", code="dataset-changed", field=name
                    )
                yield name, content


def open_for_training(directory: Path, public_key: bytes) -> TrainingSet:
    """The only way a training job gets at rows. `public_key`: Ed25519, 32 raw bytes. Raises IntegrityError."""
    return TrainingSet(directory, verify_manifest(directory, public_key))
