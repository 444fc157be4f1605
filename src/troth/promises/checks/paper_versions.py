"""The promise that clients see what changes in what is published, and when (GOV-25)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import update

from troth.kernel.caller import Connection, anonymous
from troth.kernel.errors import Denied, IntegrityError
from troth.promises.approvals import PAPER, taken_back
from troth.promises.catalogue import catalogue
from troth.promises.check import Check, Facts, counted
from troth.promises.paper import store
from troth.promises.paper.binding import Paper
from troth.promises.paper.lint import Known
from troth.promises.paper.parameters import parameters
from troth.promises.paper.publishing import Papers, in_force
from troth.promises.paper.splitting import sentences
from troth.promises.paper.store import Files, paper_version
from troth.promises.paper_operations import PaperDiff, PaperList, PaperShown
from troth.promises.probe import refused
from troth.promises.system import Base, System
from troth.promises.trust import MOST_CHANGES, ChangeOfTrust, ShowTrust, papers_told
from troth.storage.database import Database

_DAY_MS = 86_400_000
_MOST = 20  # versions that are compared on the installation, the newest
_FEED_MS = 120_000  # the feed may be a minute old
_OWN = {"id": "OWN-01", "statement": "Letters stay closed.", "kind": "recorded", "bound": "all", "acceptance": "So."}
_MORE = {"All connections use TLS 1.3.": "CRY-01", "We delete what you delete.": "DEL-01", "Closed.": "OWN-01"}
_LESS = {"All connections use TLS 1.2.": "CRY-01", "Closed.": "OWN-01"}
_TAKEN = [("DEL-01", "dropped"), ("CRY-01", "weakened"), ("OWN-01", "weakened")]


def _looked(system: System, notice: timedelta) -> Facts:
    """Two versions in a database of their own, and those that were published here."""
    with _papers(system, notice) as (papers, database):
        outcomes = _made_up(papers, database, system)
    return counted(outcomes + _published(system) + _taken_back(system.base))


@contextmanager
def _papers(system: System, notice: timedelta) -> Iterator[tuple[Papers, Database]]:
    """Papers as the installation has them over an empty database, because a published version cannot be taken back."""
    base = system.base

    def known(_paper: Paper) -> Known:
        return Known(catalogue(), parameters(), ("one", "two"), base.clock.now().date())

    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'papers.db'}")
        try:
            paper_version.create(database.engine)
            yield Papers(database, base.clock, base.signer, notice=notice, known=known), database
        finally:
            database.close()


def _made_up(papers: Papers, database: Database, system: System) -> list[bool]:
    """A version that takes three promises back: listed, announced, told with its day, and by two people."""
    wanted = system.base.settings.promises.paper_notice_days * _DAY_MS
    first = papers.approve(papers.publish(_files("1", _MORE, ["one", "two"]), "usr_one").number, "usr_two")
    asked = papers.publish(_files("2", _LESS, ["one"]), "usr_one")
    alone = refused(lambda: papers.approve(asked.number, "usr_one"), Denied, code="own-proposal")
    second = papers.approve(asked.number, "usr_two")
    now, heads = papers.now(), papers.heads()
    ready, since = second.effective_at or 0, second.approved_at or 0
    told = [one.paper for one in papers_told(heads, now) if one.paper]
    outcomes = [
        alone,
        [(one.promise, one.kind) for one in papers.changes(first, second)] == _TAKEN,
        ready - since >= wanted,
        in_force(heads, now) == first,
        in_force(heads, now + wanted + _DAY_MS) == second,
        [(one.digest, one.effective_at) for one in told] == [(one.digest, one.effective_at) for one in (first, second)],
    ]
    with database.write() as connection:  # by another hand: the day is brought forward
        mine = update(paper_version).where(paper_version.c.number == second.number)
        connection.execute(mine.values(effective_at=since))
    return [*outcomes, refused(lambda: papers.opened(papers.head(second.number)), IntegrityError, code="paper-changed")]


def _published(system: System) -> list[bool]:
    """As a stranger sees the newest versions: each is compared, those that weaken waited, and the feed has them."""
    stranger = anonymous(Connection(None, "in-process"))
    shown = system.dispatcher.run("paper.list", stranger, PaperList()).papers[:_MOST]
    feed = system.dispatcher.run("trust.changes", stranger, ShowTrust()).changes if shown else ()
    now = round(system.base.clock.now().timestamp() * 1000)
    outcomes = []
    for one in shown:
        try:
            diff = system.dispatcher.run("paper.diff", stranger, PaperDiff(number=one.number))
        except IntegrityError:  # not the one that was approved
            outcomes.append(False)
            continue
        waited = (one.effective_at or 0) - (one.approved_at or 0) >= _DAY_MS  # the least that may be set
        outcomes.append((waited or not diff.weakens) and _told(one, feed, now))
    return outcomes


def _taken_back(base: Base) -> list[bool]:
    """The version that was approved last, as the log tells: False when its row is away, or says otherwise."""
    with base.database.read() as connection:
        heads = store.heads(connection)
    stands = {f"paper-{one.number}": one.digest for one in heads if one.approved_at is not None}
    return taken_back(base.reader, PAPER, stands)


def _told(one: PaperShown, feed: tuple[ChangeOfTrust, ...], now: int) -> bool:
    """In the feed, but for what is newer than it may be, or older than the oldest that a full one still has."""
    at = one.approved_at or 0
    listed = any(told.paper is not None and told.paper.digest == one.digest for told in feed)
    full = len(feed) >= MOST_CHANGES and at <= min(told.at for told in feed)
    return listed or at > now - _FEED_MS or full


def _files(version: str, lines: dict[str, str], checks: list[str]) -> Files:
    text = "\n".join(lines)
    rows = [{"at": one.at, "sha256": one.sha256, "carries": [lines[one.text]]} for one in sentences(text)]
    named = {"file": "made-up.txt", "sha256": sha256(text.encode()).hexdigest()}
    binding = {"paper": "made-up", "version": version, "text": named, "promises": "own.yaml", "sentences": rows}
    return Files(text, json.dumps(binding), json.dumps({"promises": [{**_OWN, "checks": checks}]}))  # JSON is YAML


CHECKS = (
    Check(
        "paper-versions",
        ("GOV-25",),
        "A made-up version that drops one promise and weakens two must be listed so, wait for the notice, stand in the "
        "feed with its day, and be approved by somebody else; an edited day is refused. The newest 20 published here "
        "are compared as strangers see them, and the last that the log says was approved stands. Mail to subscribers "
        "is not sent nor looked at.",
        lambda system: _looked(system, timedelta(days=system.base.settings.promises.paper_notice_days)),
        lambda system: _looked(system, timedelta(0)),
        every=6 * 3600,
        population="steps of two made-up versions, and versions published here",
        scope="papers on this server, and two synthetic versions",
    ),
)
