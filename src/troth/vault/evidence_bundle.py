"""Evidence bundles: a log, proofs, certificates and the promise table, tied together by one signed statement. Pure.

A bundle is a set of named files. `evidence.json` is a DSSE envelope with an in-toto statement: its subjects are the
other files by SHA-256, its predicate is the promise table at that moment. Files below `log/` are a log in the
tlog-tiles layout; its signed checkpoint covers them, so of these only `log/checkpoint` is a subject, and `log/minimum`
where the log was pruned. Whoever has the log's verifier key checks all of it without this installation and without a
network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from troth.audit.verify import Audited, Trust, verify_joint, verify_log
from troth.kernel.errors import IntegrityError, Malformed, NotFound
from troth.kernel.signer import Signer
from troth.vault.certificate import STATEMENT, verify_certificate
from troth.vault.dsse import IN_TOTO, sign_envelope, verify_envelope

PREDICATE = "urn:troth:evidence-bundle:v1"
SIGNED = "evidence.json"
_LOG, _PROOF, _CERTIFICATES, _MINIMUM = "log/", ".tlog-proof", "certificates/", "log/minimum"


def sign_evidence(items: Mapping[str, str], predicate: Mapping[str, Any], signer: Signer) -> bytes:
    """The envelope over files (name -> SHA-256 in hex); the predicate holds at least `made_at` and `promises`."""
    subject = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(items.items())]
    statement = {"_type": STATEMENT, "subject": subject, "predicateType": PREDICATE, "predicate": dict(predicate)}
    return sign_envelope(statement, IN_TOTO, signer)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bundle that holds: the log in it, the statement's predicate, and the proofs and certificates checked."""

    log: Audited
    told: dict[str, Any]
    items: tuple[str, ...]


def is_subject(name: str) -> bool:
    """True for a file of a bundle that the statement must name; the others are covered by the log's checkpoint."""
    return name != SIGNED and (not name.startswith(_LOG) or name in (f"{_LOG}checkpoint", _MINIMUM))


def verify_bundle(files: Mapping[str, bytes], trust: Trust, *, trusted: bytes | None = None) -> Evidence:
    """Check every byte of a bundle, offline. Raises `IntegrityError` naming the item that fails."""
    told = _statement(files, trust)
    proofs = sorted(name for name in files if name.endswith(_PROOF))
    read: set[str] = set()
    joint = None if not proofs else files[proofs[0]].decode(errors="replace")
    with _item("log"):
        minimum = _minimum(files.get(_MINIMUM, b"0"))
        log = verify_log(_resources(files, read), trust, trusted=trusted, witnessed=joint, minimum=minimum)
    for name in proofs:
        with _item(name):
            verify_joint(files[name].decode(errors="replace"), files.get(f"{name[: -len(_PROOF)]}.json", b""), trust)
    certificates = check_certificates(files, trust)
    for name in sorted(files):
        if not is_subject(name) and name != SIGNED and name not in read:
            raise IntegrityError(f"{name}: the log does not need it, so nobody signed it.", code="evidence-extra")
    return Evidence(log, told, (*proofs, *certificates))


def check_certificates(files: Mapping[str, bytes], trust: Trust) -> list[str]:
    """The names of the certificates among files, each of the trusted installation. Raises `IntegrityError`."""
    certificates = sorted(name for name in files if name.startswith(_CERTIFICATES))
    for name in certificates:
        with _item(name):
            _certificate(files[name], trust)
    return certificates


def _statement(files: Mapping[str, bytes], trust: Trust) -> dict[str, Any]:
    """The predicate, once each file that the statement names is the one it was, and it names all."""
    with _item(SIGNED):
        statement = verify_envelope(files.get(SIGNED, b""), IN_TOTO, _signer(trust))
        try:
            named = {str(one["name"]): str(one["digest"]["sha256"]) for one in statement["subject"]}
            told: dict[str, Any] = statement["predicate"]
            if statement["predicateType"] != PREDICATE or not told["promises"]["counts"]:
                raise ValueError
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("It is no statement of evidence.", code="evidence-shape") from error
    for name, digest in named.items():
        if name not in files:
            raise IntegrityError(f"{name}: it is missing.", code="evidence-missing", field=name[:64])
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise IntegrityError(f"{name}: it is not what was signed.", code="evidence-changed", field=name[:64])
    for name in sorted(files):
        if is_subject(name) and name not in named:
            raise IntegrityError(f"{name}: nobody signed it.", code="evidence-extra", field=name[:64])
    return told


def _minimum(content: bytes) -> int:
    """The index below which the log was pruned, as it says itself."""
    if not content.strip().isdigit() or len(content) > 20:
        raise IntegrityError("The minimum index cannot be read.", code="evidence-shape")
    return int(content)


def _resources(files: Mapping[str, bytes], read: set[str]) -> Any:
    def resource(path: str) -> bytes:
        content = files.get(f"{_LOG}{path}")
        if content is None:
            raise NotFound("There is no such file in the bundle.")
        read.add(f"{_LOG}{path}")
        return content

    return resource


def _certificate(content: bytes, trust: Trust) -> None:
    signers = _signer(trust)
    log = verify_certificate(content, signers).log.log
    verify_certificate(content, signers, log_keys=[str(trust.of_log(log))])


def _signer(trust: Trust) -> dict[str, bytes]:
    """Who signs the documents of the log's installation: its host, with the key that signs its logs."""
    key = trust.ed25519
    return {key.name.rpartition("/log/")[0] or key.name: key.public_key}


@contextmanager
def _item(name: str) -> Iterator[None]:
    """Puts the name of an item before what is wrong with it."""
    try:
        yield
    except (IntegrityError, Malformed) as error:
        raise IntegrityError(f"{name}: {error.advice}", code=error.code, field=error.field) from error
