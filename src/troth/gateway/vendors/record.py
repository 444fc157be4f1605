"""What is on file about a vendor. No personal data: actors are opaque ids, documents are digests."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
ModelId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Milliseconds = Annotated[int, Field(ge=0, lt=2**53)]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ANY = "any"  # every jurisdiction; only for what never leaves this machine
HERE = "here"  # a region that is the machine Troth runs on: nothing is transferred


class State(StrEnum):
    """Only APPROVED is ever sent anything."""

    DRAFT = "draft"
    APPROVED = "approved"
    SUSPENDED = "suspended"


class Retention(StrEnum):
    """What the agreement lets the vendor keep of a request after it has answered."""

    ZERO = "zero"  # nothing
    TRANSIENT = "transient"  # in memory while the request runs, never at rest
    DAYS = "days"  # at rest for `retention_days`


class _Fact(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Offer(_Fact):
    """One model: the name callers use, the vendor's own name, and what it makes."""

    model: ModelId
    upstream: ModelId
    kind: Literal["chat", "image"]
    response_format: Literal["b64_json"] | None = None  # set for vendors that answer with links unless asked


class Transfer(_Fact):
    """A recorded legal ground for data of one jurisdiction to be processed in one region, and when it ends."""

    jurisdiction: Code
    region: Code
    mechanism: Code  # adequacy-decision | standard-contractual-clauses | binding-corporate-rules | ...
    ends: Milliseconds


class Waiver(_Fact):
    """An exception from TLS 1.3: who answers for it and until when."""

    owner: Code
    ends: Milliseconds


class DueDiligence(_Fact):
    """The answers of a security review. A field that is None is an answer still missing; `approve` needs them all."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    base_url: Annotated[str, StringConstraints(max_length=512, pattern=r"^https?://[^\s@?#]+$")]
    offers: Annotated[tuple[Offer, ...], Field(min_length=1, max_length=256)]
    review: Digest | None = None  # SHA-256 of the filled questionnaire
    review_expires: Milliseconds | None = None
    agreement: Digest | None = None  # SHA-256 of the signed data-processing agreement
    agreement_ends: Milliseconds | None = None
    retention: Retention | None = None
    retention_days: Annotated[int, Field(ge=0, le=3650)] = 0
    jurisdictions: Annotated[tuple[Code, ...], Field(max_length=64)] = ()  # whose data it may process
    regions: Annotated[tuple[Code, ...], Field(max_length=64)] = ()  # where it processes
    transfers: Annotated[tuple[Transfer, ...], Field(max_length=256)] = ()
    tls_waiver: Waiver | None = None
    moderation: Code | None = None  # the content policy the agreement names
    sub_processors: Annotated[tuple[Code, ...], Field(max_length=256)] = ()
    raw_images: bool = False  # the review accepts pictures whose inner text and faces were not redacted

    @model_validator(mode="after")
    def _consistent(self) -> DueDiligence:
        if (self.retention is Retention.DAYS) != (self.retention_days > 0):
            raise ValueError("retention_days is above zero exactly when retention is 'days'")
        if len({offer.model for offer in self.offers}) != len(self.offers):
            raise ValueError("a model is offered twice")
        return self

    @property
    def loopback(self) -> bool:
        """True when the vendor runs on this machine."""
        return urlsplit(self.base_url).hostname in LOOPBACK

    @property
    def encrypted(self) -> bool:
        """True when the road to the vendor is TLS, or never leaves this machine."""
        return self.base_url.startswith("https://") or self.loopback

    def missing(self) -> list[str]:
        """Names of required answers that are not there."""
        required = ("review", "review_expires", "agreement", "agreement_ends", "retention", "moderation")
        return [name for name in required if getattr(self, name) is None] + [
            name for name in ("jurisdictions", "regions") if not getattr(self, name)
        ]


class VendorRecord(_Fact):
    """A vendor as the registry knows it."""

    id: Code
    kind: Literal["openai-compatible", "local-studio"]
    state: State
    facts: DueDiligence
    requested_by: str
    approved_by: str | None = None
    changed_at: int = 0  # ms since the epoch; adapters are rebuilt when it moves

    def offer(self, model: str, kind: str) -> Offer | None:
        """The offer of that name and kind, if any."""
        found = (offer for offer in self.facts.offers if offer.model == model and offer.kind == kind)
        return next(found, None)
