"""Requests and answers of the vault's operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.clock import iso, iso_if
from troth.kernel.reasons import Why
from troth.vault.consent import Consent
from troth.vault.issued import Issued
from troth.vault.ledger import Decision, Erasure
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
    """An object as its owner sees it. Times in ISO 8601, size in bytes.

    `usable` is False while it is kept and not used (restricted, or past its end and kept by a duty); None in lists.
    """

    id: str
    kind: str
    data_class: str
    media_type: str
    name: str
    size: int
    created_at: str
    expires_at: str | None
    derived_from: tuple[str, ...]
    usable: bool | None = None

    @classmethod
    def of(cls, info: ObjectInfo, *, usable: bool | None = None) -> ObjectShown:
        """The outward form."""
        return cls(
            id=info.id,
            kind=info.kind,
            data_class=info.data_class.value,
            media_type=info.media_type,
            name=info.name,
            size=info.size,
            created_at=iso_if(info.created_at) or "",
            expires_at=iso_if(info.expires_at),
            derived_from=info.derived_from,
            usable=usable,
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
    def of(cls, consent: Consent, now: int, objected: frozenset[str] = frozenset()) -> ConsentShown:
        """The outward form at a moment in epoch ms; no consent counts for what is `objected` to."""
        return cls(
            id=consent.id,
            purpose=consent.purpose,
            notice=consent.notice,
            valid=consent.valid_at(now) and consent.purpose not in objected,
            granted_at=iso_if(consent.granted_at) or "",
            expires_at=iso_if(consent.expires_at),
            withdrawn_at=iso_if(consent.withdrawn_at),
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
    immediate: bool = False


class ErasePeriod(Message):
    """Erase what your tenant has of a class that was kept before `until` (epoch ms)."""

    data_class: Literal["user-generated", "account", "system"]
    until: Annotated[int, Field(ge=0, lt=1 << 53)]
    immediate: bool = False
    confirm: Literal["erase this period"]


class ErasureNamed(Message):
    """One erasure."""

    erasure_id: _Id


class ErasureDecided(ErasureNamed):
    """A decision about one erasure, and why."""

    reason: Why


class CertificateNamed(Message):
    """One certificate."""

    certificate_id: _Id


class CertificateList(Message):
    """Which certificates to list, newest first; `after` is the last one of the page before."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: _Id | None = None


class CertificateShown(Message):
    """A certificate of an erasure; the document itself is downloaded by its id."""

    id: str
    erasure: str
    scope: str
    issued_at: str

    @classmethod
    def of(cls, one: Issued) -> Self:
        """The outward form."""
        return cls(id=one.id, erasure=one.erasure, scope=one.scope, issued_at=iso(one.issued_at))


class CertificatePage(Message):
    """Certificates, newest first; `after` asks for the next page."""

    certificates: tuple[CertificateShown, ...]
    after: str | None


class DecisionShown(Message):
    """An officer's decision about an erasure: approved or called off."""

    actor: str
    decision: str
    at: str


class ErasureShown(Message):
    """An erasure. `salt` (hex) opens the certificate's commitment: it belongs in the person's copy only.

    `due_at`: until then it is closed and can be called off. `people`: how many it concerns.
    """

    id: str
    state: str
    scope: str
    held_for: str | None
    requested_at: str
    completed_at: str | None
    certificate: str | None
    salt: str | None = None
    people: int = 0
    due_at: str | None = None
    asked_by: str = ""
    decisions: tuple[DecisionShown, ...] = ()

    @classmethod
    def of(cls, erasure: Erasure, decisions: Sequence[Decision] = (), *, with_salt: bool = False) -> Self:
        """The outward form."""
        return cls(**_outward(erasure, decisions, with_salt=with_salt))


class ErasureList(Message):
    """Erasures, newest first."""

    erasures: tuple[ErasureShown, ...]


class Offboard(Message):
    """Erase a whole tenant. It cannot be undone once it has begun, so it is said in words."""

    tenant_id: _Id
    confirm: Literal["erase this tenant"]
    immediate: bool = False


class OffboardingNamed(Message):
    """The erasure of one tenant."""

    tenant_id: _Id


class OffboardingDecided(OffboardingNamed):
    """A decision about the erasure of one tenant, and why."""

    reason: Why


class OffboardingShown(ErasureShown):
    """The erasure of one tenant."""

    tenant: str

    @classmethod
    def of(cls, erasure: Erasure, decisions: Sequence[Decision] = (), *, with_salt: bool = False) -> Self:
        """The outward form."""
        return cls(tenant=erasure.tenant, **_outward(erasure, decisions, with_salt=with_salt))


class OffboardingList(Message):
    """Erasures of tenants, newest first."""

    offboardings: tuple[OffboardingShown, ...]


def _outward(erasure: Erasure, decisions: Sequence[Decision], *, with_salt: bool) -> dict[str, Any]:
    taken = [DecisionShown(actor=one.actor, decision=one.decision, at=iso_if(one.at) or "") for one in decisions]
    return {
        "id": erasure.id,
        "state": erasure.state,
        "scope": erasure.scope,
        "held_for": erasure.basis,
        "requested_at": iso_if(erasure.requested_at) or "",
        "completed_at": iso_if(erasure.completed_at),
        "certificate": erasure.certificate,
        "salt": erasure.salt.hex() if with_salt and erasure.salt else None,
        "people": erasure.people,
        "due_at": iso_if(erasure.due_at),
        "asked_by": erasure.actor,
        "decisions": tuple(taken),
    }
