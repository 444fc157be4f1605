"""What the trust page says: the paper in force beside what is known of each of its sentences. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from troth.promises.catalogue import Promise
from troth.promises.history import History
from troth.promises.paper.binding import Bound, Paper
from troth.promises.paper.matching import matched
from troth.promises.paper.splitting import Sentence
from troth.promises.paper.wording import CERTIFICATE, claims_certificate, on_record
from troth.promises.paper_operations import PaperShown
from troth.promises.status import Standing, State, worst


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class PromiseBrief(_Row):
    """A promise as it stands. `checked_at`: the oldest of the newest looks that it rests on (epoch ms), or None.

    `excused_until`: the end (epoch ms) of the first exception that runs out. `months`: states, oldest first.
    """

    id: str
    statement: str
    kind: str
    state: str
    reason: str
    checked_at: int | None
    excused_until: int | None
    months: tuple[str, ...]


class SentenceShown(_Row):
    """One sentence of the paper, with the worst of what its promises say; one without promises has no state.

    `because`: why it carries none (heading, lead-in, rhetoric, contact, link, not-ours). `lapsed`: it says that a
    certificate is held, and none is on record today, nor did the paper say why it may: then it is unknown at best.
    """

    at: str
    sha256: str
    text: str
    carries: tuple[str, ...]
    because: str | None
    state: str | None
    checked_at: int | None
    months: tuple[str, ...]
    lapsed: bool


class Taken(_Row):
    """A promise that an announced version takes back: `kind` dropped or weakened, and why that is said."""

    promise: str
    kind: str
    says: str


class AnnouncedShown(PaperShown):
    """A version that is in force from a day to come, and what it takes back of the one in force; `more`: so many
    further ones, which `paper.diff` has. `compared` is false while others' versions are compared: nobody knows yet."""

    model_config = ConfigDict(frozen=True)

    takes: tuple[Taken, ...]
    more: int
    compared: bool = True


class CertificateOnRecord(_Row):
    """A certificate, report or alignment that two people of the house checked and whose time has not ended."""

    standard: str
    word: str
    issuer: str
    scope: str
    valid_until: str


class TrustShown(_Row):
    """The paper in force and what is known of it. Times in epoch ms; `months` names those of every bar, oldest first.

    Without a paper in force, `paper` is None and `sentences` is empty; `promises` then has those of the catalogue.
    `history` is false while the runs of a year are still being read: bars are empty then. `broken`: the published paper
    is not the one that was approved, and is not shown. `markdown`: sentences are written with its marks of emphasis.
    `jurisdiction`: where this installation keeps what it is given; `regions`: where sub-processors get data now.
    """

    at: int
    paper: PaperShown | None
    broken: bool
    markdown: bool
    announced: tuple[AnnouncedShown, ...]
    counts: dict[str, int]
    history: bool
    months: tuple[str, ...]
    sentences: tuple[SentenceShown, ...]
    promises: tuple[PromiseBrief, ...]
    certificates: tuple[CertificateOnRecord, ...]
    jurisdiction: str
    regions: tuple[str, ...]


def briefs(
    rows: Iterable[tuple[Promise, Standing]], histories: Mapping[str, History], months: Sequence[str]
) -> dict[str, PromiseBrief]:
    """Promises by id, each with as many months as `months` names; a month that nothing is known of is unknown."""
    return {promise.id: _brief(promise, standing, histories, months) for promise, standing in rows}


def _brief(
    promise: Promise, standing: Standing, histories: Mapping[str, History], months: Sequence[str]
) -> PromiseBrief:
    known = {one.month: one.state.value for one in histories[promise.id].months} if promise.id in histories else {}
    return PromiseBrief(
        id=promise.id,
        statement=promise.statement,
        kind=promise.kind,
        state=standing.state.value,
        reason=standing.reason,
        checked_at=min((run.at for run in standing.runs), default=None),
        excused_until=min((one.ends for one in standing.waivers), default=None),
        months=tuple(known.get(month, State.UNKNOWN.value) for month in months),
    )


def sentences(
    paper: Paper, known: Mapping[str, PromiseBrief], certified: Sequence[str] = (), today: date = date.max
) -> tuple[SentenceShown, ...]:
    """The sentences of a paper in order, each as the worst of its promises stands. A promise that nobody knows of, and
    a binding of other words, are unknown. `certified`: the standards of certificates on record."""
    found = []
    for pair in matched(paper).pairs:
        bound = pair.bound if pair.how != "changed" else None
        carries = bound.carries if bound else ()
        rows = [known.get(one) for one in carries]
        lapsed = _lapsed(pair.sentence, bound, certified, today)
        states = [one.state if one else None for one in rows] + [None] * lapsed
        months = _months(rows)
        found.append(
            SentenceShown(
                at=pair.sentence.at,
                sha256=pair.sentence.sha256,
                text=pair.sentence.text,
                carries=carries,
                because=bound.because if bound else None,
                state=_state(states) if states else None,
                checked_at=_oldest([one.checked_at if one else None for one in rows]),
                months=(*months[:-1], _state([months[-1], None])) if lapsed and months else months,
                lapsed=lapsed,
            )
        )
    return tuple(found)


def counts(states: Iterable[str]) -> dict[str, int]:
    """How many stand in each state, in the order of the states."""
    counted = Counter(states)
    return {state.value: counted[state.value] for state in State}


def _lapsed(sentence: Sentence, bound: Bound | None, certified: Sequence[str], today: date) -> bool:
    if not claims_certificate(sentence) or on_record(sentence, certified):
        return False
    return not any(one.finding == CERTIFICATE and today <= one.until for one in (bound.accepts if bound else ()))


def _state(states: Sequence[str | None]) -> str:
    return worst(State(one) if one else State.UNKNOWN for one in states).value


def _oldest(times: Sequence[int | None]) -> int | None:
    """When the whole of it was last looked at: nobody has, where one part was never looked at."""
    known = [one for one in times if one is not None]
    return min(known) if known and len(known) == len(times) else None


def _months(rows: Sequence[PromiseBrief | None]) -> tuple[str, ...]:
    """Month by month the worst of all; beside a promise that nobody knows of, no month is better than unknown."""
    known = [one.months for one in rows if one is not None]
    strange = [None] * (len(rows) - len(known))
    return tuple(_state([*month, *strange]) for month in zip(*known, strict=True))
