"""Trust pages of papers that nobody published: with a year of history, in which everything happened."""

from __future__ import annotations

import random

from troth.kernel.caller import Connection, anonymous
from troth.portal.pages.trust import shown_of
from troth.portal.render import Page, page
from troth.promises.catalogue import catalogue
from troth.promises.paper.shipped import shipped
from troth.promises.paper_operations import PaperShown
from troth.promises.status import State
from troth.promises.trust_view import (
    AnnouncedShown,
    CertificateOnRecord,
    PromiseBrief,
    Taken,
    TrustShown,
    counts,
    sentences,
)

NOW = 1_795_000_000_000
MONTHS = tuple(f"2025-{month:02}" for month in range(12, 13)) + tuple(f"2026-{month:02}" for month in range(1, 12))
_STATES = [one.value for one in State]


def briefs(seed: int) -> dict[str, PromiseBrief]:
    """Every promise, each with a year that changes often: what takes most bytes."""
    drawn = random.Random(seed)
    return {
        one.id: PromiseBrief(
            id=one.id,
            statement=one.statement,
            kind=one.kind,
            state=drawn.choice(_STATES),
            reason="a check found it broken",
            checked_at=NOW - drawn.randrange(90_000_000) if drawn.random() > 0.1 else None,
            excused_until=None,
            months=tuple(drawn.choice(_STATES) for _ in MONTHS),
        )
        for one in catalogue().values()
    }


def view(paper: str | None, seed: int = 1) -> TrustShown:
    """What the server would say of a shipped paper in force, or of none."""
    known = briefs(seed)
    lines = sentences(shipped(paper), known) if paper else ()
    head = PaperShown(number=1, paper=paper or "", version="3", digest="0" * 64, state="in force", proposed_at=NOW,
                      approved_at=NOW, effective_at=NOW)  # fmt: skip
    carried = {one for line in lines for one in line.carries}
    return TrustShown(
        at=NOW,
        paper=head if paper else None,
        broken=False,
        markdown=paper is not None and shipped(paper).layout == "markdown",
        announced=(_announced(head),) if paper else (),
        counts=counts([one.state for one in lines if one.state] if paper else [one.state for one in known.values()]),
        history=True,
        months=MONTHS,
        sentences=lines,
        promises=tuple(one for one in known.values() if not paper or one.id in carried),
        certificates=(CertificateOnRecord(standard="ISO/IEC 27001", word="certified", issuer="A certification body",
                                          scope="The whole service", valid_until="2027-06-30"),),
        jurisdiction="eu",
        regions=("eu-west-1", "us-east-1"),
    )  # fmt: skip


def _announced(head: PaperShown) -> AnnouncedShown:
    told = head.model_dump() | {
        "number": 2,
        "version": "4",
        "state": "announced",
        "effective_at": NOW + 30 * 86_400_000,
    }
    takes = (Taken(promise="DEL-01", kind="dropped", says="No sentence carries it any more."),
             Taken(promise="INC-06", kind="weakened", says="notice-hours: 48 became 72 (hours)."))  # fmt: skip
    return AnnouncedShown(**told, takes=takes, more=3)


def page_of(shown: TrustShown) -> str:
    """The page as strangers get it."""
    frame = Page("Promises and evidence", "/trust", anonymous(Connection(None, "test")))
    return bytes(page("trust.html", frame, runs=False, **shown_of(shown)).body).decode()
