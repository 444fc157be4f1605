"""The certificate of an erasure: an in-toto statement in a DSSE envelope that a stranger can check offline.

Format: docs/reference/certificate.md. Version 2 says of each object how it went, and when keys were destroyed;
certificates of version 1 go on verifying. It names ids, numbers, times and digests, never content; the person appears
as a salted commitment that only their own copy's salt opens.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Any

from pydantic import ValidationError

from troth.audit.leaf import read_leaf
from troth.audit.note import parse_note
from troth.audit.proof_text import JointProof
from troth.audit.verify import verify_proof
from troth.kernel.errors import IntegrityError
from troth.kernel.record import Fact
from troth.kernel.signer import Signer
from troth.vault.certificate_form import (
    APPROVER,
    BY_KEY,
    LISTED,
    PREDICATES,
    REQUESTER,
    SINCE_2,
    Approval,
    Bundle,
    Certificate,
    ForgottenBy,
    Keys,
    Listed,
    Logged,
    Root,
    VendorCopy,
    Verification,
    listed,
    technique,
)
from troth.vault.dsse import IN_TOTO, sign_envelope, verify_envelope

STATEMENT = "https://in-toto.io/Statement/v1"
__all__ = [
    "APPROVER",
    "LISTED",
    "REQUESTER",
    "Approval",
    "Bundle",
    "Certificate",
    "ForgottenBy",
    "Keys",
    "Listed",
    "Logged",
    "Root",
    "VendorCopy",
    "Verification",
    "listed",
    "technique",
]


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
        "predicateType": PREDICATES[certificate.version],
        "predicate": certificate.model_dump(mode="json", exclude=set(SINCE_2) if certificate.version == 1 else None),
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
    _check_technique(certificate)
    checked = certificate.verification
    if (checked.keys_tried, checked.objects_tried) != (checked.keys_refused, checked.objects_refused):
        raise IntegrityError("Something that was erased could still be opened.", code="certificate-verification")
    if sum(certificate.classes.values()) != certificate.objects.count:
        raise IntegrityError("The classes do not add up to the number of objects.", code="certificate-counts")
    lists = [certificate.objects, certificate.released, certificate.backups_covered]
    lists += [one for one in (certificate.by_key, certificate.by_deletion) if one]
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


def _check_technique(certificate: Certificate) -> None:
    """That the method, for all objects and for each of the two lists, is what the keys say."""
    if certificate.version == 1:
        if certificate.technique != BY_KEY:
            raise IntegrityError("The certificate names another technique.", code="certificate-technique")
        return
    keys, by_key, by_deletion = certificate.keys, certificate.by_key, certificate.by_deletion
    if by_key is None or by_deletion is None or by_key.count + by_deletion.count != certificate.objects.count:
        raise IntegrityError("The objects by key and by deletion are not all objects.", code="certificate-counts")
    said = technique(by_key.count, by_deletion.count, keys.units if keys else 0)
    if certificate.technique != said or (by_key.count and keys is None):
        raise IntegrityError("The technique is not what was done.", code="certificate-technique")
    if certificate.destroyed_at != (max(root.destroyed_at for root in keys.roots) if keys else None):
        raise IntegrityError("The time is not that of the last destroyed root.", code="certificate-technique")


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
    by_deletion = certificate.by_deletion.count if certificate.by_deletion else 0
    expected, commitment = [], certificate.subject_commitment
    for count in {by_deletion, 0}:  # earlier releases did not say it in the log
        facts = entry_facts(certificate.erasure, certificate.objects, commitment, certificate.keys, by_deletion=count)
        expected.append((certificate.log.log, certificate.tenant, certificate.erasure, facts))
    if (leaf.get("log"), leaf.get("tenant"), leaf.get("request"), leaf.get("facts")) not in expected:
        raise IntegrityError("The audit entry speaks of another erasure.", code="certificate-entry")


def _check_proof(certificate: Certificate, log_keys: Sequence[str]) -> None:
    proof = JointProof.parse(certificate.log.proof).entry
    names = {signature.name for signature in parse_note(proof.checkpoint).signatures}
    for key in log_keys:
        if key.split("+", 1)[0] in names:
            verify_proof(certificate.log.proof, base64.b64decode(certificate.log.entry), key)
            return
    raise IntegrityError("The audit checkpoint is not signed by a log you trust.", code="certificate-log")


def entry_facts(
    erasure: str, objects: Listed, subject_commitment: str, keys: Keys | None, *, by_deletion: int = 0
) -> dict[str, Fact]:
    """What the audit entry of a sealed erasure says: enough to tie it to one certificate.

    `by_deletion` of the objects have a copy somewhere under a key that lives on: a restore must look for them by name.
    """
    facts: dict[str, Fact] = {
        "erasure": erasure,
        "objects": objects.count,
        "digest": objects.digest,
        "subject": subject_commitment,
    }
    if by_deletion:
        facts["by_deletion"] = by_deletion
    return facts | ({"units": keys.units, "epoch": keys.epoch_after} if keys else {})
