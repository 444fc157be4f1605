"""What is on file about a vendor. No personal data: actors are opaque ids, documents are digests."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from troth.gateway.vendors.papers import (
    Actor,
    Certificate,
    Code,
    Company,
    Contract,
    Digest,
    Diligence,
    Milliseconds,
    PaperModel,
    Price,
    SubProcessor,
)

ModelId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
Adapter = Literal["openai-compatible", "azure-openai", "bedrock", "jobs"]
Kind = Literal["chat", "image", "embedding", "video", "moderation"]

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


class Offer(PaperModel):
    """One model: the name callers use, the vendor's own name, what it makes and what it costs."""

    model: ModelId
    upstream: ModelId
    kind: Kind
    responses: bool = False  # of a chat model: the vendor speaks /v1/responses; else such requests are translated
    response_format: Literal["b64_json"] | None = None  # set for vendors that answer with links unless asked
    price: Price | None = None


class Transfer(PaperModel):
    """A recorded legal ground for data of one jurisdiction to be processed in one region, and when it holds."""

    jurisdiction: Code
    region: Code
    mechanism: Code  # adequacy-decision | standard-contractual-clauses | binding-corporate-rules | ...
    ends: Milliseconds
    starts: Milliseconds = 0


class Waiver(PaperModel):
    """An exception from TLS 1.3: who answers for it, who else approved it, and until when."""

    owner: Code
    ends: Milliseconds
    approver: Actor | None = None  # None in older records: such a waiver does not count

    def holds(self, now: int) -> bool:
        """True while it is approved by somebody else and not over."""
        return self.approver not in (None, self.owner) and self.ends > now


class Speech(PaperModel):
    """How the vendor is spoken to, where an address does not say it."""

    adapter: Adapter = "openai-compatible"
    api_version: Annotated[str, StringConstraints(max_length=32, pattern=r"^[a-z0-9-]+$")] | None = None  # azure-openai
    region: Annotated[str, StringConstraints(max_length=32, pattern=r"^[a-z0-9-]+$")] | None = None  # bedrock signs it
    description: Code | None = None  # jobs: a shipped description
    idempotent: bool = False  # runs a request of one Idempotency-Key once, so a failed one may be sent again

    @model_validator(mode="after")
    def _whole(self) -> Speech:
        needed = {"azure-openai": self.api_version, "bedrock": self.region, "jobs": self.description}
        if self.adapter in needed and needed[self.adapter] is None:
            raise ValueError("azure-openai needs api_version, bedrock needs region, jobs needs description")
        return self


class DueDiligence(PaperModel):
    """The answers of a security review. A field that is None is an answer still missing; `approve` needs them all."""

    name: Company
    base_url: Annotated[str, StringConstraints(max_length=512, pattern=r"^https?://[^\s@?#]+$")]
    offers: Annotated[tuple[Offer, ...], Field(min_length=1, max_length=256)]
    speech: Speech = Speech()
    review: Digest | None = None  # SHA-256 of the filled questionnaire
    review_expires: Milliseconds | None = None
    diligence: Diligence | None = None  # None in records that are older than the questionnaire
    agreement: Digest | None = None  # SHA-256 of the signed data-processing agreement
    agreement_ends: Milliseconds | None = None
    contract: Contract | None = None
    retention: Retention | None = None
    retention_days: Annotated[int, Field(ge=0, le=3650)] = 0
    jurisdictions: Annotated[tuple[Code, ...], Field(max_length=64)] = ()  # whose data it may process
    regions: Annotated[tuple[Code, ...], Field(max_length=64)] = ()  # where it processes
    transfers: Annotated[tuple[Transfer, ...], Field(max_length=256)] = ()
    certificates: Annotated[tuple[Certificate, ...], Field(max_length=64)] = ()
    tls_waiver: Waiver | None = None
    moderation: Code | None = None  # the content policy the agreement names
    sub_processors: Annotated[tuple[SubProcessor, ...], Field(max_length=256)] = ()
    raw_images: bool = False  # the review accepts pictures whose inner text and faces were not redacted
    announced_at: Milliseconds | None = None  # people were told elsewhere, on that day; else approval tells them

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
        required = ("review", "review_expires", "diligence", "agreement", "agreement_ends", "contract", "retention",
                    "moderation")  # fmt: skip
        absent = [name for name in required if getattr(self, name) is None]
        absent += [name for name in ("jurisdictions", "regions") if not getattr(self, name)]
        if self.diligence is not None:
            absent += [f"answer {name}" for name in self.diligence.open_questions()]
        if self.contract is not None:
            absent += [f"clause {name}" for name in self.contract.lacking()]
        return absent


class Contact(PaperModel):
    """A test of the vendor's contact for incidents: whether somebody answered."""

    at: Milliseconds
    by: Actor
    answered: bool


class Probe(PaperModel):
    """What the vendor's address offered when Troth looked: the TLS version, or none."""

    at: Milliseconds
    version: Literal["TLSv1.3", "TLSv1.2", "none"]


class Announced(PaperModel):
    """Somebody in a region, published at `at`; nothing goes there before `ends`."""

    name: Company
    region: Code | None
    at: Milliseconds
    ends: Milliseconds


class Happened(PaperModel):
    """One line of a vendor's history. `facts` is the SHA-256 of what was on file then; `changed` names the fields."""

    at: Milliseconds
    by: Actor
    what: Literal["added", "amended", "approved", "suspended", "contact", "probed"]
    facts: Digest
    changed: tuple[str, ...] = ()


class Observed(PaperModel):
    """What Troth saw or was told after the review, newest last. It needs no fresh approval."""

    contacts: tuple[Contact, ...] = ()
    probe: Probe | None = None
    history: tuple[Happened, ...] = ()
    announced: tuple[Announced, ...] | None = None  # None: approved before announcements were kept

    @property
    def contact(self) -> Contact | None:
        """The last test that somebody answered."""
        return next((one for one in reversed(self.contacts) if one.answered), None)


class VendorRecord(PaperModel):
    """A vendor as the registry knows it."""

    id: Code
    kind: Literal["openai-compatible", "local-studio", "azure-openai", "bedrock", "jobs"]
    state: State
    facts: DueDiligence
    requested_by: str
    approved_by: str | None = None
    changed_at: int = 0  # ms since the epoch; adapters are rebuilt when it moves
    observed: Observed = Observed()

    def offer(self, model: str, kind: str) -> Offer | None:
        """The offer of that name and kind, if any."""
        found = (offer for offer in self.facts.offers if offer.model == model and offer.kind == kind)
        return next(found, None)
