"""Versions of the paper on a server: proposed by one operator, approved by another, announced before they take away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import IntegrityError as Duplicate

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, IntegrityError, Invalid, NotFound
from troth.kernel.signer import Signer
from troth.promises.paper import store
from troth.promises.paper.binding import Paper, paper_of
from troth.promises.paper.changes import Change, changed, weakens
from troth.promises.paper.lint import Finding, Known, failed, lint
from troth.promises.paper.parameters import parameters
from troth.promises.paper.store import Files, Head, Kept
from troth.promises.turns import taken
from troth.storage.database import Database
from troth.vault.dsse import IN_TOTO, envelope, signature_over, verify_envelope

PREDICATE = "urn:troth:paper-version:v1"
_STATEMENT = "https://in-toto.io/Statement/v1"
_QUOTED = 3  # findings that a refusal names
_MOST_COMPARED = 64  # pairs of versions
_MOST_READ = 16  # papers that are kept read: the one in force, and what it is compared with


class Papers:
    """The installation's paper. One is in force at a time: the newest approved one whose day has come.

    `known`: what a paper is held against now. `notice`: how long what is weaker is announced.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        signer: Signer,
        *,
        notice: timedelta,
        known: Callable[[Paper], Known],
    ) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer
        self._notice = notice
        self._known = known
        self._read: dict[Head, tuple[Kept, Paper]] = {}
        self._comparing = threading.Lock()
        self._compared: dict[tuple[str, str], tuple[Change, ...]] = {}  # by the digests of both

    def now(self) -> int:
        """The time, in epoch milliseconds."""
        return epoch_ms(self._clock.now())

    def lint(self, files: Files) -> tuple[Paper, tuple[Finding, ...]]:
        """The paper of some files, and what is wrong with it here. Raises as `paper_of`."""
        paper = _paper(files)
        return paper, lint(paper, self._known(paper))

    def publish(self, files: Files, by: str) -> Head:
        """Propose a version; nothing changes before somebody else approves it.

        Raises `Invalid` (paper-findings, and as `paper_of`), `Conflict` (paper-published, paper-proposed).
        """
        paper = self._sound(files)
        try:
            with self._database.write() as connection:
                known = store.heads(connection)
                _refuse_twice(paper, known)
                number = known[-1].number + 1 if known else 1
                store.add(connection, paper.binding, files, number=number, by=by, at=self.now())
        except Duplicate as error:
            says = "Somebody else proposed a paper in this moment; look at it, then try again."
            raise Conflict(says, code="paper-proposed") from error
        return self.head(number)

    def approve(self, number: int, by: str) -> Head:
        """Put a proposed version in force, from its day on; what is weaker than before waits for the notice.

        Raises `NotFound` (no-paper), `Denied` (own-proposal), `Conflict` (not-waiting, paper-proposed), and as
        `publish` when it is no longer in order.
        """
        head = self.head(number)
        if head.approved_at is not None:
            raise Conflict("This version was approved already.", code="not-waiting")
        if head.proposed_by == by:
            raise Denied("Nobody approves what they proposed; ask another operator.", code="own-proposal")
        files = self._files(head)
        now = self.now()
        approval = store.Approval(by, now, self._effective(self._sound(files), now))
        signed = signature_over(_statement(head, approval), IN_TOTO, self._signer)
        with self._database.write() as connection:
            done = store.approve(connection, number, approval, self._signer.name, signed)
        if not done:
            raise Conflict("A newer version was proposed, or this one approved; read the list.", code="paper-proposed")
        return self.head(number)

    def heads(self) -> list[Head]:
        """All versions without their texts, oldest first."""
        with self._database.read() as connection:
            return store.heads(connection)

    def head(self, number: int) -> Head:
        """One version. Raises `NotFound` (no-paper)."""
        found = next((one for one in self.heads() if one.number == number), None)
        if found is None:
            raise NotFound("There is no such version of the paper.", code="no-paper")
        return found

    def in_force(self, at: int) -> Head | None:
        """The version in force at a time (epoch ms), or none. Raises nothing: `opened` looks at what it holds."""
        return in_force(self.heads(), at)

    def opened(self, head: Head) -> tuple[Kept, Paper]:
        """The files and the paper of a version. Raises `IntegrityError` (paper-changed) when they are not what was
        proposed, or what was approved is not signed so."""
        if (known := self._read.get(head)) is not None:
            return known
        files = self._files(head)
        if head.approved_at is not None:
            self._verify(head)
        if len(self._read) >= _MOST_READ:
            self._read.clear()
        self._read[head] = (Kept(head, files), _paper(files))
        return self._read[head]

    def changes(self, old: Head, new: Head) -> tuple[Change, ...]:
        """What a version changes of another, promise by promise; strangers ask, so it is found out once.

        Raises as `opened`, and `Unavailable` (history-busy).
        """
        with taken(self._comparing):
            return self._changes(old, new)

    def _changes(self, old: Head, new: Head) -> tuple[Change, ...]:
        before, after = self.opened(old)[1], self.opened(new)[1]
        pair = (old.digest, new.digest)
        if pair not in self._compared:
            if len(self._compared) >= _MOST_COMPARED:
                self._compared.clear()
            self._compared[pair] = changed(before, after, parameters())
        return self._compared[pair]

    def _sound(self, files: Files) -> Paper:
        paper, found = self.lint(files)
        if failed(found):
            raise Invalid(_told([one for one in found if one.severity == "error"]), code="paper-findings")
        return paper

    def _effective(self, paper: Paper, now: int) -> int:
        """When it takes effect: its own day, and not before the notice is over where it takes something away from the
        version in force or from one that is announced."""
        day = paper.binding.effective
        wished = epoch_ms(datetime(day.year, day.month, day.day, tzinfo=UTC)) if day else now
        held = standing(self.heads(), now)
        less = any(weakens(changed(self.opened(one)[1], paper, parameters())) for one in held)
        return max(wished, now + self._notice // timedelta(milliseconds=1) if less else now)

    def _files(self, head: Head) -> Files:
        with self._database.read() as connection:
            files = store.files(connection, head.number)
        if files is None or files.digest != head.digest:
            raise _changed()
        return files

    def _verify(self, head: Head) -> None:
        approval = store.Approval(head.approved_by or "", head.approved_at or 0, head.effective_at or 0)
        told = envelope(_statement(head, approval), IN_TOTO, head.signer or "", head.signature or b"")
        try:
            verify_envelope(told, IN_TOTO, {self._signer.name: self._signer.public_key})
        except IntegrityError as error:
            raise _changed() from error


def in_force(heads: Sequence[Head], at: int) -> Head | None:
    """The newest approved version whose day has come. An older one that was announced for later never replaces it."""
    ready = [one for one in heads if one.effective_at is not None and one.effective_at <= at]
    return ready[-1] if ready else None


def standing(heads: Sequence[Head], at: int) -> list[Head]:
    """What readers may rely on: the version in force, and newer ones that are announced."""
    current = in_force(heads, at)
    first = current.number if current else 0
    return [one for one in heads if one.number >= first and one.effective_at is not None]


def state_of(head: Head, heads: Sequence[Head], at: int) -> str:
    """proposed, withdrawn (a newer one was proposed), announced, in force, or replaced."""
    if head.effective_at is None:
        return "proposed" if head == heads[-1] else "withdrawn"
    if head == in_force(heads, at):
        return "in force"
    return "announced" if head in standing(heads, at) else "replaced"


def _paper(files: Files) -> Paper:
    own = None if files.own is None else files.own.encode()
    return paper_of(files.text.encode(), files.binding.encode(), own)


def _refuse_twice(paper: Paper, known: Sequence[Head]) -> None:
    named = (paper.name, paper.binding.version)
    if any((one.paper, one.version) == named and one.approved_at is not None for one in known):
        says = "A version of that name is published already; give the changed paper another `version`."
        raise Conflict(says, code="paper-published")


def _told(found: Sequence[Finding]) -> str:
    named = " ".join(f"{one.where}: {one.code}. {one.says}" for one in found[:_QUOTED])
    more = f" And {len(found) - _QUOTED} more." if len(found) > _QUOTED else ""
    return f"The paper has findings, so it is not published. {named}{more} Run `troth paper lint FILE --server`."


def _statement(head: Head, approval: store.Approval) -> dict[str, object]:
    return {
        "_type": _STATEMENT,
        "subject": [{"name": f"paper-{head.number}", "digest": {"sha256": head.digest}}],
        "predicateType": PREDICATE,
        "predicate": {
            "paper": head.paper,
            "version": head.version,
            "proposed_by": head.proposed_by,
            "proposed_at": head.proposed_at,
            "approved_by": approval.by,
            "approved_at": approval.at,
            "effective_at": approval.effective_at,
        },
    }


def _changed() -> IntegrityError:
    says = "The published paper is not the one that was approved; restore it, or look who changed it."
    return IntegrityError(says, code="paper-changed")
