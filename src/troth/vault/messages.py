"""Requests and answers of the vault's operations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.clock import from_epoch_ms
from troth.vault.consent import Consent
from troth.vault.ledger import Erasure
from troth.vault.objects import ObjectInfo

_Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_Token = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]*$")]


class Message(BaseModel):
    """Strict: an unknown member is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Message):
    """A request without members."""


class ObjectList(Message):
    """Which of your objects to list, newest first."""

    kind: Annotated[str, Field(max_length=32, pattern=r"^[a-z][a-z0-9-]*$")] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: _Id | None = None


class ObjectNamed(Message):
    """One object."""

    object_id: _Id


class ObjectShown(Message):
    """An object as its owner sees it. Times in ISO 8601, size in bytes."""

    id: str
    kind: str
    data_class: str
    media_type: str
    name: str
    size: int
    created_at: str
    expires_at: str | None
    derived_from: tuple[str, ...]

    @classmethod
    def of(cls, info: ObjectInfo) -> ObjectShown:
        """The outward form."""
        return cls(
            id=info.id,
            kind=info.kind,
            data_class=info.data_class.value,
            media_type=info.media_type,
            name=info.name,
            size=info.size,
            created_at=_time(info.created_at) or "",
            expires_at=_time(info.expires_at),
            derived_from=info.derived_from,
        )


class ObjectPage(Message):
    """Objects, newest first; `after` asks for the next page."""

    objects: tuple[ObjectShown, ...]
    after: str | None


class ConsentGrant(Message):
    """Consent to one purpose, such as `training`, given to the notice of that version."""

    purpose: _Token
    notice: _Token
    expires_at: Annotated[int, Field(ge=0, lt=1 << 53)] | None = None


class ConsentNamed(Message):
    """One consent."""

    consent_id: _Id


class ConsentShown(Message):
    """A consent and whether it stands."""

    id: str
    purpose: str
    notice: str
    valid: bool
    granted_at: str
    expires_at: str | None
    withdrawn_at: str | None

    @classmethod
    def of(cls, consent: Consent, now: int) -> ConsentShown:
        """The outward form at a moment in epoch ms."""
        return cls(
            id=consent.id,
            purpose=consent.purpose,
            notice=consent.notice,
            valid=consent.valid_at(now),
            granted_at=_time(consent.granted_at) or "",
            expires_at=_time(consent.expires_at),
            withdrawn_at=_time(consent.withdrawn_at),
        )


class ConsentHistory(Message):
    """All consents, newest first."""

    consents: tuple[ConsentShown, ...]


class EraseOwn(Message):
    """Erase everything about yourself. It cannot be undone, so it is said in words."""

    confirm: Literal["erase everything about me"]


class EraseSubject(Message):
    """Erase a person of your tenant."""

    subject: _Id


class ErasureNamed(Message):
    """One erasure."""

    erasure_id: _Id


class CertificateNamed(Message):
    """One certificate."""

    certificate_id: _Id


class ErasureShown(Message):
    """An erasure. `salt` (hex) opens the certificate's commitment: it belongs in the person's copy only."""

    id: str
    state: str
    scope: str
    held_for: str | None
    requested_at: str
    completed_at: str | None
    certificate: str | None
    salt: str | None = None

    @classmethod
    def of(cls, erasure: Erasure, *, with_salt: bool = False) -> ErasureShown:
        """The outward form."""
        return cls(
            id=erasure.id,
            state=erasure.state,
            scope=erasure.scope,
            held_for=erasure.basis,
            requested_at=_time(erasure.requested_at) or "",
            completed_at=_time(erasure.completed_at),
            certificate=erasure.certificate,
            salt=erasure.salt.hex() if with_salt and erasure.salt else None,
        )


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return from_epoch_ms(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
