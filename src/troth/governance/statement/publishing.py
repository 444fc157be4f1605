"""Versions of the statement: proposed by one operator, approved by another and signed, compared with what is true."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError as Duplicate

from troth.governance.data_map.map import DataMap, digest
from troth.governance.statement import store
from troth.governance.statement.facts import Fact, mapped
from troth.governance.statement.generate import Section, Sentence, Statement, said, statement
from troth.governance.statement.readability import LIMIT
from troth.governance.statement.store import Head, digest_of
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, IntegrityError, Invalid, NotFound
from troth.kernel.signer import Signer
from troth.storage.database import Database
from troth.vault.dsse import IN_TOTO, envelope, signature_over, verify_envelope

PREDICATE = "urn:troth:statement-version:v1"
_STATEMENT = "https://in-toto.io/Statement/v1"
_MOST_KNOWN = 1_000  # approvals whose signature is not verified again


@dataclass(frozen=True, slots=True)
class Apart:
    """What a statement leaves out of what is true, what it says that is not, and sections that say it otherwise."""

    unsaid: frozenset[Fact]
    untrue: frozenset[Fact]
    reworded: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.unsaid or self.untrue or self.reworded)


class Statements:
    """The statement of the installation. The newest approved one is in force.

    `current`: the data map as it holds here now.
    """

    def __init__(self, database: Database, clock: Clock, signer: Signer, current: Callable[[], DataMap]) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer
        self.current = current
        self._known: set[Head] = set()

    def draft(self) -> Statement:
        """What would be said now."""
        return statement(self.current())

    def publish(self, by: str, accepts: Collection[str]) -> Head:
        """Propose what would be said now. `accepts`: sections that stay above the grade, each named by who asks.

        Raises `Invalid` (statement-hard) for another such section, `Conflict` (statement-unchanged,
        statement-proposed).
        """
        current = self.current()
        told = statement(current)
        _refuse_hard(told, accepts)
        content = written(told)
        known = self.heads()
        if (now := in_force(known)) is not None and now.digest == digest_of(content):
            raise Conflict("What is in force says the same; nothing is to be published.", code="statement-unchanged")
        number = known[-1].number + 1 if known else 1
        accepted = " ".join(one.id for one in told.hard)
        head = Head(number, digest_of(content), digest(current), accepted, by, self._now(), None, None)
        try:
            with self._database.write() as connection:
                store.add(connection, head, content)
        except Duplicate as error:
            raise _proposed() from error
        return head

    def approve(self, number: int, by: str) -> Head:
        """Put a proposed version in force, while it still says what is true.

        Raises `NotFound` (no-statement), `Denied` (own-proposal), `Conflict` (not-waiting, statement-outdated,
        statement-proposed).
        """
        head = self.head(number)
        if head.approved_at is not None:
            raise Conflict("This version was approved already.", code="not-waiting")
        if head.proposed_by == by:
            raise Denied("Nobody approves what they proposed; ask another operator.", code="own-proposal")
        if self.apart(self.opened(head)):
            says = "What is done changed since this was proposed; propose the statement again."
            raise Conflict(says, code="statement-outdated")
        agreed = replace(head, approved_by=by, approved_at=self._now(), signer=self._signer.name)
        signed = replace(agreed, signature=signature_over(_told(agreed), IN_TOTO, self._signer))
        with self._database.write() as connection:
            done = store.approve(connection, signed)
        if not done:
            raise _proposed()
        return self.head(number)

    def heads(self) -> list[Head]:
        """All versions without their texts, oldest first: one query.

        Raises `IntegrityError` (statement-changed) when one is not signed as it stands: nothing of such a table is
        shown, for the version that was in force may be the edited one.
        """
        with self._database.read() as connection:
            found = store.heads(connection)
        for one in found:
            if one not in self._known and (one.approved_at is not None or one.signature is not None):
                self._verify(one)
        return found

    def head(self, number: int) -> Head:
        """One version. Raises `NotFound` (no-statement)."""
        found = next((one for one in self.heads() if one.number == number), None)
        if found is None:
            raise NotFound("There is no such version of the statement.", code="no-statement")
        return found

    def in_force(self) -> Head | None:
        """The version in force, or none."""
        return in_force(self.heads())

    def opened(self, head: Head) -> Statement:
        """What a version says. Raises `IntegrityError` (statement-changed) when it is not what was proposed."""
        with self._database.read() as connection:
            content = store.content(connection, head.number)
        if content is None or digest_of(content) != head.digest:
            raise _changed()
        return read(content)

    def apart(self, told: Statement) -> Apart:
        """How far a statement is from what is true now."""
        current = self.current()
        says, true = said(told), mapped(current)
        return Apart(true - says, says - true, reworded(told, statement(current)))

    def _verify(self, head: Head) -> None:
        signed = envelope(_told(head), IN_TOTO, head.signer or "", head.signature or b"")
        try:
            verify_envelope(signed, IN_TOTO, {self._signer.name: self._signer.public_key})
        except IntegrityError as error:
            raise _changed() from error
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known.add(head)

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def reworded(told: Statement, now: Statement) -> tuple[str, ...]:
    """Sections that would be said otherwise now, by id: other words, other facts, a new section, or one too many."""
    before, after = ({one.id: one for one in each.sections} for each in (told, now))
    return tuple(name for name in {**after, **before} if before.get(name) != after.get(name))


def in_force(heads: Sequence[Head]) -> Head | None:
    """The newest approved version."""
    return next((one for one in reversed(heads) if one.approved_at is not None), None)


def written(told: Statement) -> str:
    """A statement as canonical JSON: the same statement is the same text."""
    sections = [
        {
            "id": one.id,
            "title": one.title,
            "grade": one.grade,
            "names": list(one.names),
            "sentences": [{"text": each.text, "facts": list(each.facts)} for each in one.sentences],
        }
        for one in told.sections
    ]
    return json.dumps(sections, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read(content: str) -> Statement:
    """The inverse of `written`."""
    return Statement(
        tuple(
            Section(
                one["id"],
                one["title"],
                tuple(Sentence(each["text"], tuple(each["facts"])) for each in one["sentences"]),
                tuple(one["names"]),
            )
            for one in json.loads(content)
        )
    )


def _refuse_hard(told: Statement, accepts: Collection[str]) -> None:
    left = [one for one in told.hard if one.id not in accepts]
    if left:
        named = ", ".join(f"{one.id} ({one.grade})" for one in left[:5])
        says = f"These sections are above grade {LIMIT:g}: {named}. Say them in plainer words, or accept each by name."
        raise Invalid(says, code="statement-hard")


def _told(head: Head) -> dict[str, object]:
    """What an approval signs: all of the version, its text by the digest."""
    named = ("map", "accepted", "proposed_by", "proposed_at", "approved_by", "approved_at")
    return {
        "_type": _STATEMENT,
        "subject": [{"name": f"statement-{head.number}", "digest": {"sha256": head.digest}}],
        "predicateType": PREDICATE,
        "predicate": {name: getattr(head, name) for name in named},
    }


def _changed() -> IntegrityError:
    says = "The published statement is not the one that was approved; restore it, or look who changed it."
    return IntegrityError(says, code="statement-changed")


def _proposed() -> Conflict:
    says = "Somebody else proposed a statement in this moment; look at it, then try again."
    return Conflict(says, code="statement-proposed")
