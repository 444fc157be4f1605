"""Checking a certificate for whoever holds one, without sign-in. `troth verify` does the same offline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from troth.kernel.errors import IntegrityError, Invalid
from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.signer import Signer
from troth.vault.certificate import Approval, Bundle, Certificate, VendorCopy, verify_certificate
from troth.vault.messages import Message

_MAX_DOCUMENT = 250_000  # characters; the largest certificate the verifier reads


class CertificateGiven(Message):
    """A certificate as it was handed out: the whole text of the file."""

    document: Annotated[str, Field(min_length=1, max_length=_MAX_DOCUMENT)]


class CertificateHolds(Message):
    """What a certificate says whose signature, claims, log entry and proof hold."""

    certificate: str
    scope: str
    requested_at: str
    shut_at: str | None
    destroyed_at: str | None
    issued_at: str
    objects: int
    by_deletion: int
    key_due: str | None
    technique: str
    assurance: tuple[str, ...]
    roots_destroyed: int
    strength: int
    tried: int
    refused: int
    approvals: tuple[Approval, ...]
    backups: str
    backups_covered: tuple[str, ...]
    backups_away: tuple[str, ...]
    vendors: tuple[VendorCopy, ...]
    bundles: tuple[Bundle, ...]
    completes: tuple[str, ...]
    residual: tuple[str, ...]

    @classmethod
    def of(cls, held: Certificate) -> CertificateHolds:
        """The outward form."""
        roots = held.keys.roots if held.keys else []
        return cls(
            certificate=held.certificate,
            scope=held.scope,
            requested_at=held.requested_at,
            shut_at=held.shut_at,
            destroyed_at=held.destroyed_at,
            issued_at=held.issued_at,
            objects=held.objects.count,
            by_deletion=held.by_deletion.count if held.by_deletion else 0,
            key_due=held.key_due,
            technique=held.technique,
            assurance=tuple(sorted({root.assurance for root in roots})),
            roots_destroyed=len(roots),
            strength=held.strength,
            tried=held.verification.keys_tried + held.verification.objects_tried,
            refused=held.verification.keys_refused + held.verification.objects_refused,
            approvals=tuple(held.approvals),
            backups=held.backups,
            backups_covered=tuple(held.backups_covered.identifiers),
            backups_away=tuple(held.backups_away),
            vendors=tuple(held.vendors),
            bundles=tuple(held.bundles),
            completes=tuple(held.completes),
            residual=tuple(held.residual),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOperations:
    """`log_key(log)` is the verifier key (C2SP vkey text) of an audit log of this installation."""

    signer: Signer
    log_key: Callable[[str], str]

    @operation(
        "certificate.verify",
        group=Group.PUBLIC,
        request=CertificateGiven,
        route=Route("POST", "/v1/certificates/verification", max_bytes=1 << 19),
    )
    def verify(self, call: Call, request: CertificateGiven) -> CertificateHolds:
        """Check an erasure certificate: signature, claims, and its proof in the audit log."""
        try:
            held = self._held(request.document.encode())
        except UnicodeEncodeError as error:
            raise Invalid("Give the text of the file as it is.", code="bad-field", field="document") from error
        except IntegrityError as error:  # what a stranger gave does not hold; here, nothing is broken
            raise Invalid(error.advice, code=error.code, field="document") from error
        call.note(certificate=held.certificate)
        return CertificateHolds.of(held)

    def _held(self, envelope: bytes) -> Certificate:
        keys = {self.signer.name: self.signer.public_key}
        log = verify_certificate(envelope, keys).log.log
        return verify_certificate(envelope, keys, log_keys=[self.log_key(log)])
