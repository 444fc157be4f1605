"""The certificate of an erasure: an in-toto statement in a DSSE envelope that a stranger can check offline.

Format: docs/reference/certificate.md. It names ids, numbers, times and digests, never content; the person appears as a
salted commitment that only their own copy's salt opens.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from troth.audit.leaf import read_leaf
from troth.audit.note import parse_note
from troth.audit.proof_text import ProofText
from troth.audit.verify import verify_proof
from troth.kernel.errors import IntegrityError
from troth.kernel.record import Fact
from troth.kernel.signer import Signer
from troth.vault.dsse import IN_TOTO, sign_envelope, verify_envelope

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:troth:erasure-certificate:v1"
TECHNIQUE: Final = "cryptographic erase per NIST SP 800-88 Rev. 2, key tree with destroyed epoch root"
REQUESTER, APPROVER = "requester", "approver"
LISTED = 1000  # ids written out; beyond it the digest over all of them speaks

_Id = Annotated[str, Field(max_length=80)]
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Text = Annotated[str, Field(max_length=1000)]
_Count = Annotated[int, Field(ge=0)]
_Time = Annotated[str, Field(max_length=40)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Listed(_Part):
    """Ids: how many, SHA-256 over all of them (sorted, each followed by a line feed), and the first thousand."""

    count: _Count
    digest: _Hex
    identifiers: list[_Id] = Field(max_length=LISTED)


class ForgottenBy(_Part):
    """What one holder dropped. `repeated`: a crash interrupted it, so what the first attempt dropped is not listed."""

    holder: _Id
    dropped: Listed
    repeated: bool


class Root(_Part):
    """One destroyed epoch root of one key domain."""

    domain: _Id
    root: _Text
    assurance: _Id
    destroyed_at: _Time
    evidence: _Text


class Keys(_Part):
    """The destruction in the key tree: `units` keys, the epochs around it, SHA-256 of both manifests, every root."""

    units: _Count
    epoch_before: _Count
    epoch_after: _Count
    manifest_before: _Text
    manifest_after: _Text
    roots: list[Root] = Field(max_length=64)


class Verification(_Part):
    """Attempts to open what was erased, after the destruction and before the ciphertext was deleted."""

    keys_tried: _Count
    keys_refused: _Count
    objects_tried: _Count
    objects_refused: _Count
    ciphertext_deleted: _Count


class VendorCopy(_Part):
    """What one vendor may still hold of what it was sent, by its agreement: requests, and until when at the latest."""

    vendor: _Id
    requests: _Count
    until: _Time | None


class Approval(_Part):
    """Who asked (requester), approved (approver)."""

    actor: _Id
    role: _Id
    at: _Time


class Logged(_Part):
    """The audit entry (base64 of the leaf) and its C2SP tlog-proof."""

    log: _Id
    entry: Annotated[str, Field(max_length=20_000)]
    proof: Annotated[str, Field(max_length=200_000)]


class Certificate(_Part):
    """The predicate: everything the certificate claims."""

    certificate: _Id
    erasure: _Id
    request: _Id
    tenant: _Id
    scope: Literal["object", "subject", "period", "tenant", "retention"]
    requested_at: _Time
    issued_at: _Time
    subject_commitment: _Hex
    classes: dict[str, int]
    objects: Listed
    released: Listed
    withheld: _Count
    forgotten: list[ForgottenBy] = Field(max_length=256)
    technique: Literal["cryptographic erase per NIST SP 800-88 Rev. 2, key tree with destroyed epoch root"]
    algorithm: Literal["AES-256-GCM"]
    strength: Literal[256]
    assurance: dict[_Id, _Id]
    keys: Keys | None
    verification: Verification
    backups: _Text
    backups_covered: Listed
    vendors: list[VendorCopy] = Field(max_length=256)
    residual: list[_Text] = Field(max_length=32)
    approvals: list[Approval] = Field(max_length=16)
    tool: _Text
    log: Logged


def listed(identifiers: Sequence[str]) -> Listed:
    """The summary of a set of ids."""
    ordered = sorted(set(identifiers))
    digest = hashlib.sha256("".join(f"{one}\n" for one in ordered).encode()).hexdigest()
    return Listed(count=len(ordered), digest=digest, identifiers=ordered[:LISTED])


def commitment(salt: bytes, tenant: str, subject: str) -> str:
    """SHA-256 in hex over the 32-byte salt, tenant, NUL and person id."""
    return hashlib.sha256(salt + tenant.encode() + b"\0" + subject.encode()).hexdigest()


def sign_certificate(certificate: Certificate, signer: Signer) -> bytes:
    """The envelope."""
    return sign_envelope(_statement(certificate), IN_TOTO, signer)


def verify_certificate(envelope: bytes, keys: Mapping[str, bytes], *, log_keys: Sequence[str] = ()) -> Certificate:
    """The certificate, when everything in it holds. Offline: needs the document and the public keys only.

    `keys` are signers by name (32 raw Ed25519 bytes); `log_keys` are verifier keys (C2SP vkey text) of the audit logs,
    one of which must have signed the checkpoint; without them the proof's place in the log is not checked.
    Raises `IntegrityError` naming what fails.
    """
    certificate = _read(verify_envelope(envelope, IN_TOTO, keys))
    _check_claims(certificate)
    _check_entry(certificate)
    if log_keys:
        _check_proof(certificate, log_keys)
    return certificate


def verify_subject(certificate: Certificate, salt: bytes, tenant: str, subject: str) -> None:
    """Raises `IntegrityError` unless the certificate is about this person; `salt` is in the person's copy."""
    if not compare_digest(commitment(salt, tenant, subject), certificate.subject_commitment):
        raise IntegrityError(
            "The certificate is about another person, or the salt is wrong.", code="certificate-subject"
        )


def _statement(certificate: Certificate) -> dict[str, Any]:
    return {
        "_type": STATEMENT,
        "subject": [{"name": certificate.erasure, "digest": {"sha256": certificate.subject_commitment}}],
        "predicateType": PREDICATE,
        "predicate": certificate.model_dump(mode="json"),
    }


def _read(statement: Any) -> Certificate:
    try:
        certificate = Certificate.model_validate(statement["predicate"])
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise IntegrityError(
            f"The certificate's member {where} is missing or wrong.", code="certificate-shape"
        ) from error
    except (KeyError, TypeError) as error:
        raise IntegrityError("The envelope holds no certificate.", code="certificate-shape") from error
    if statement != _statement(certificate):
        raise IntegrityError("The statement around the certificate does not fit it.", code="certificate-shape")
    return certificate


def _check_claims(certificate: Certificate) -> None:
    _check_keys(certificate)
    _check_approvals(certificate)
    checked = certificate.verification
    if (checked.keys_tried, checked.objects_tried) != (checked.keys_refused, checked.objects_refused):
        raise IntegrityError("Something that was erased could still be opened.", code="certificate-verification")
    if sum(certificate.classes.values()) != certificate.objects.count:
        raise IntegrityError("The classes do not add up to the number of objects.", code="certificate-counts")
    lists = certificate.objects, certificate.released, certificate.backups_covered
    for one in (*lists, *(part.dropped for part in certificate.forgotten)):
        complete = one.count <= LISTED
        if complete and listed(one.identifiers) != one:
            raise IntegrityError("A list of ids does not have the stated count and digest.", code="certificate-digest")


def _check_keys(certificate: Certificate) -> None:
    keys = certificate.keys
    if keys and not (keys.roots and keys.epoch_after > keys.epoch_before):
        raise IntegrityError("No key root was destroyed.", code="certificate-keys")
    if certificate.assurance != {root.domain: root.assurance for root in (keys.roots if keys else ())}:
        raise IntegrityError("The assurance classes are not those of the destroyed roots.", code="certificate-keys")
    if certificate.backups_covered.count and keys is None:
        raise IntegrityError("Backups cannot be covered when no key was destroyed.", code="certificate-keys")


def _check_approvals(certificate: Certificate) -> None:
    by_role = {role: {one.actor for one in certificate.approvals if one.role == role} for role in (REQUESTER, APPROVER)}
    if len(by_role[REQUESTER]) != 1 or by_role[APPROVER] & by_role[REQUESTER]:
        raise IntegrityError("Somebody approved what they asked for themselves.", code="certificate-approvals")
    if certificate.scope == "tenant" and not by_role[APPROVER]:
        raise IntegrityError("The erasure of a whole tenant names no second approver.", code="certificate-approvals")


def _check_entry(certificate: Certificate) -> None:
    try:
        leaf = read_leaf(base64.b64decode(certificate.log.entry, validate=True))
    except ValueError as error:
        raise IntegrityError("The audit entry cannot be read.", code="certificate-entry") from error
    expected = entry_facts(certificate.erasure, certificate.objects, certificate.subject_commitment, certificate.keys)
    named = (leaf.get("log"), leaf.get("tenant"), leaf.get("request"), leaf.get("facts"))
    if named != (certificate.log.log, certificate.tenant, certificate.erasure, expected):
        raise IntegrityError("The audit entry speaks of another erasure.", code="certificate-entry")


def _check_proof(certificate: Certificate, log_keys: Sequence[str]) -> None:
    proof = ProofText.parse(certificate.log.proof)
    names = {signature.name for signature in parse_note(proof.checkpoint).signatures}
    for key in log_keys:
        if key.split("+", 1)[0] in names:
            verify_proof(certificate.log.proof, base64.b64decode(certificate.log.entry), key)
            return
    raise IntegrityError("The audit checkpoint is not signed by a log you trust.", code="certificate-log")


def entry_facts(erasure: str, objects: Listed, subject_commitment: str, keys: Keys | None) -> dict[str, Fact]:
    """What the audit entry of a sealed erasure says: enough to tie it to one certificate."""
    facts: dict[str, Fact] = {
        "erasure": erasure,
        "objects": objects.count,
        "digest": objects.digest,
        "subject": subject_commitment,
    }
    return facts | ({"units": keys.units, "epoch": keys.epoch_after} if keys else {})
