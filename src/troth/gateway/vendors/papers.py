"""The papers of a vendor: what was asked and answered, what was signed, who else takes part, what it costs.

Actors are opaque ids and documents are digests; names are those of companies. Every time is ms since the epoch.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Actor = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Company = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Milliseconds = Annotated[int, Field(ge=0, lt=2**53)]
Micros = Annotated[int, Field(ge=0, le=10**12)]  # millionths of one unit of the currency

DAY_MS = 86_400_000
# What an agreement must say: GDPR article 28(3)(a) to (h), and that nothing is learnt from what is sent.
CLAUSES = (
    "instructions",
    "confidentiality",
    "security",
    "sub-processors",
    "rights-of-people",
    "breach-notice",
    "deletion",
    "audit",
    "no-training",
)


class PaperModel(BaseModel):
    """Base of what is on file: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tier(StrEnum):
    """How much depends on a vendor. BUILT_IN is what runs inside Troth: no third party, so nothing lapses."""

    CRITICAL = "critical"
    STANDARD = "standard"
    LOW = "low"
    BUILT_IN = "built-in"


# Days from one review to the next, and how long an overdue one is waited for (VEN-06).
CADENCE = {Tier.CRITICAL: (183, 14), Tier.STANDARD: (366, 30), Tier.LOW: (366, 60)}
CONTACT_EVERY, CONTACT_GRACE = 366, 30  # days (VEN-08)


class Reply(PaperModel):
    """One answer of the questionnaire, with the digests of what proves it."""

    answer: Literal["yes", "partly", "no", "not-applicable"]
    evidence: Annotated[tuple[Digest, ...], Field(max_length=32)] = ()


class Condition(PaperModel):
    """What a review asks of a vendor still, and until when. `question` names the answer it makes up for."""

    question: Code
    what: Code
    due: Milliseconds
    met: bool = False


class Diligence(PaperModel):
    """A security review: answers by question, who reviewed and when, a score in percent, what is asked still."""

    tier: Tier
    questionnaire: Code
    answers: Annotated[dict[Code, Reply], Field(max_length=200)]
    reviewer: Actor
    reviewed_at: Milliseconds
    score: Annotated[int, Field(ge=0, le=100)]
    conditions: Annotated[tuple[Condition, ...], Field(max_length=64)] = ()
    rests_on: Annotated[tuple[Code, ...], Field(max_length=16)] = ()  # certificates without which it does not hold

    @property
    def due(self) -> int | None:
        """When the next review is due; None for what runs inside Troth."""
        return None if self.tier not in CADENCE else self.reviewed_at + CADENCE[self.tier][0] * DAY_MS

    @property
    def overdue_from(self) -> int | None:
        """When an overdue review is waited for no longer."""
        return None if self.due is None else self.due + CADENCE[self.tier][1] * DAY_MS

    def open_questions(self) -> list[str]:
        """Questions without an answer, an evidence, or a condition that makes up for a no. Sorted."""
        asked = questionnaire(self.questionnaire)
        return sorted(name for name in asked if not self._settled(name))

    def _settled(self, question: str) -> bool:
        reply = self.answers.get(question)
        if reply is None:
            return False
        if reply.answer in ("no", "partly"):
            return any(one.question == question for one in self.conditions)
        return reply.answer == "not-applicable" or bool(reply.evidence)


class Contract(PaperModel):
    """What was signed: by whom, with which clauses, from when. Its digest and end stand beside it in the record."""

    parties: Annotated[tuple[Company, ...], Field(min_length=2, max_length=8)]
    clauses: Annotated[tuple[Code, ...], Field(max_length=64)]
    starts: Milliseconds

    def lacking(self) -> list[str]:
        """Required clauses that are not in it."""
        return [name for name in CLAUSES if name not in self.clauses]


class Certificate(PaperModel):
    """A certificate or report of an independent auditor, such as iso27001 or soc2-type2, and how long it holds."""

    name: Code
    file: Digest
    starts: Milliseconds
    ends: Milliseconds


class SubProcessor(PaperModel):
    """Somebody the vendor lets process requests: where, from when, when we were told and whether we accepted.

    `region` None is a name from an older record: nobody knows where it processes.
    """

    name: Code
    region: Code | None = None
    noticed: Milliseconds = 0
    since: Milliseconds = 0
    accepted: bool = False
    announced_at: Milliseconds | None = None  # we told people elsewhere, on that day

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class Price(PaperModel):
    """What a model costs, in millionths: for a million tokens read and written, a picture, and a second of video."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "USD"
    input: Micros = 0
    output: Micros = 0
    picture: Micros = 0
    second: Micros = 0

    def cost(self, *, tokens_in: int = 0, tokens_out: int = 0, pictures: int = 0, seconds: float = 0.0) -> int:
        """Millionths of the currency for that use, rounded up."""
        tokens = -(-(tokens_in * self.input + tokens_out * self.output) // 1_000_000)
        return tokens + pictures * self.picture + -(-int(seconds * 1000) * self.second // 1000)


@lru_cache(maxsize=8)
def questionnaire(name: str) -> dict[str, str]:
    """The questions of a shipped questionnaire by id. An unknown one has the questions of the newest."""
    text = resources.files("troth.gateway.vendors").joinpath("questionnaires.yaml").read_text(encoding="utf-8")
    known: dict[str, dict[str, str]] = yaml.safe_load(text)
    return known.get(name) or known[NEWEST]


NEWEST = "troth-2026-1"


def settled(tier: Tier, reviewer: str, reviewed_at: int, evidence: str) -> Diligence:
    """A review in which every question of the newest questionnaire is answered yes, on the same evidence."""
    answers = {name: Reply(answer="yes", evidence=(evidence,)) for name in questionnaire(NEWEST)}
    return Diligence(
        tier=tier, questionnaire=NEWEST, answers=answers, reviewer=reviewer, reviewed_at=reviewed_at, score=100
    )
