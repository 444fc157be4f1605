"""Promises about who watches the administrators: their log is reviewed in time, and decisions name why."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete

from troth.audit.decisions import DECISIONS, DecisionList, decisions
from troth.audit.leaf import read_leaf
from troth.audit.review import store
from troth.audit.review.queue import Plan, Reviewer, Reviews, Verdict
from troth.audit.review.watch import Duty, Watch
from troth.audit.sequencer import Sequencer
from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.clock import epoch_ms
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import Denied
from troth.kernel.ids import new_id
from troth.kernel.journal import Journal
from troth.kernel.operation import Group, Operation, Registry
from troth.kernel.reasons import Why
from troth.kernel.record import Entry, Outcome
from troth.keys.signing import LocalSigner
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import BOUND, SERVICE, Ahead, Probe, probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata
from troth.storage.outbox import Outbox

_LOG, _ACT = "operator", "hold.lift"
_ADMIN, _REVIEWER = "usr_admin", "usr_reviewer"
Eye = Callable[[Watch], Watch]
# Decisions whose reason is of another list, or that name a basis instead; any other that names no `Why` is seen.
_OTHER_WORDS = frozenset(
    """hold.place restriction.place request.extend request.refuse review.judge review.follow-up keys.compromise
    key-domain.retire""".split()
)


class _Blind(Watch):
    """The known-bad look: no gap, nothing late."""

    def sound(self, log: str) -> bool:  # noqa: ARG002 - the shape of a watch
        """Whatever it is."""
        return True

    def duty(self, log: str) -> Duty:
        """Nothing is ever due."""
        return replace(super().duty(log), due_at=None, follow_up_due_at=None)


def _open(watch: Watch) -> Watch:
    return watch


def _blind(watch: Watch) -> Watch:
    return _Blind(watch.reviews, Journal(), frozenset)


@dataclass(frozen=True)
class _Desk:
    """A log of its own, in which an administrator acts and somebody reviews."""

    database: Database
    outbox: Outbox
    sequencer: Sequencer
    reviews: Reviews

    def act(self, actor: str) -> None:
        """One administrative act."""
        now = epoch_ms(self.reviews.clock.now())
        entry = Entry(_LOG, _ACT, "opened", Outcome.PENDING, new_id("req"), actor, None, now)
        self.outbox.record(entry)
        self.sequencer.flush(_LOG)

    def reviewed(self) -> bool:
        """A review from its opening to its end; True when one's own act was refused to its reviewer."""
        by = Reviewer(_LOG, _REVIEWER, new_id("run"))
        review = self.reviews.open(by)
        own = []
        for one in self.reviews.show(_LOG, review.id)[1]:
            judge = replace(by, actor=_ADMIN) if one.actor == _REVIEWER else by
            others = replace(by, actor=one.actor)
            own.append(refused(lambda w=others, at=one.position: self._say(w, review.id, at), Denied, code="own-act"))  # type: ignore[misc]
            if own[-1]:
                self._say(judge, review.id, one.position)
        self.reviews.close(by, review.id)
        self.sequencer.flush(_LOG)
        return bool(own) and all(own)

    def _say(self, by: Reviewer, review: str, index: int) -> None:
        self.reviews.judge(by, review, index, Verdict("fine"))

    def lose(self, number: int) -> None:
        """One review's row is gone, as somebody in the database could have it."""
        with self.database.write() as connection:
            lost = store.all_of(connection, _LOG)[number]
            connection.execute(delete(store.reviews).where(store.reviews.c.id == lost.id))

    def watch(self, eye: Eye) -> Watch:
        """What looks at it."""
        return eye(Watch(self.reviews, Journal(), frozenset))


@contextmanager
def _desk(system: System) -> Iterator[_Desk]:
    base = system.base
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as name:
        database = Database(f"sqlite:///{Path(name) / 'log.db'}")
        outbox, blobs = Outbox(database), LocalBlobs(Path(name) / "blobs")
        signer = LocalSigner("self-check.invalid", os.urandom(32))  # the log's own key signs no history but the log's
        sequencer = Sequencer(database, blobs, signer, base.clock)
        try:
            metadata.create_all(database.engine)
            yield _Desk(database, outbox, sequencer, Reviews(database, outbox, base.clock, lambda: {_ACT: 3}, Plan()))
        finally:
            outbox.close()
            sequencer.stop()
            database.close()


def _mechanics(system: System, eye: Eye) -> list[bool]:
    """Reviews are sound; a lost one is seen as a gap, and one that nobody does as overdue."""
    with _desk(system) as desk:
        outcomes = []
        for actor in (_ADMIN, _REVIEWER, _ADMIN):
            desk.act(actor)
            outcomes.append(desk.reviewed())
        outcomes.append(desk.watch(eye).sound(_LOG))
        desk.lose(1)
        outcomes.append(not desk.watch(eye).sound(_LOG))
        desk.act(_ADMIN)
        now = epoch_ms(system.base.clock.now())
        outcomes.append(not desk.watch(eye).duty(_LOG).overdue(now))
        late = timedelta(days=15)
        outcomes.append(desk.watch(eye).duty(_LOG).overdue(epoch_ms(Ahead(system.base.clock, late).now())))
    return outcomes


def _reviewed(system: System, eye: Eye) -> Facts:
    """The mechanics in a log of their own, then every log here: no gap, each review as the log has it, none late."""
    outcomes = _mechanics(system, eye)
    watch, now = system.reviewing.watch, epoch_ms(system.base.clock.now())
    logs = watch.logs()
    live = [watch.sound(log) and not watch.duty(log).overdue(now) for log in logs]
    begun = not all(live) or any(watch.closed(log) for log in logs)
    facts = counted([*outcomes, *live])
    return replace(facts, configured=begun or bool(facts.broken))


def _spied(system: System) -> Registry:
    """The decisions, declared as they are, with bodies that do nothing."""
    members: dict[str, Any] = {}
    for name in sorted(DECISIONS):
        operation = system.dispatcher.registry[name]

        def body(_self: object, _call: object, _request: object) -> None:
            return None

        body.__operation__ = operation.declaration  # type: ignore[attr-defined]
        members[name] = body
    return Registry(type("Spies", (), members)())


def _names_why(operation: Operation) -> bool:
    field = operation.declaration.request.model_fields.get("reason")
    return field is not None and field.annotation is Why


def _caller(person: Probe, group: Group) -> Caller:
    if group is not Group.OPERATE:
        return person.caller("owner")
    proof, here = Authentication("password+totp", 2, 0, "ses_probe"), Connection(None, "in-process")
    return Caller(
        SERVICE, "operator", roles=frozenset({"operator"}), authentication=proof, device=BOUND, connection=here
    )


def _decided(system: System, **given: Why) -> Facts:
    """Every decision on its real road: none without a reason, and each in the log with reason and policies."""
    base, registry = system.base, _spied(system)
    reasoned = [one for one in registry if _names_why(one)]
    outcomes = [_refuses_silence(one) for one in reasoned]
    outcomes += [one.name in _OTHER_WORDS for one in registry if one not in reasoned]
    road = Dispatcher(registry, system.decider, base.outbox, base.clock, base.journal)
    with probe(system) as person:
        made = []
        for one in reasoned:
            caller, request = _caller(person, one.declaration.group), new_id("req")
            road.run(one.name, caller, one.declaration.request.model_construct(**given), request)
            made.append((caller.tenant or _LOG, request))
        base.sequencer.flush()
        outcomes += [_told(system, log, request) for log, request in made]
        page = decisions(base.database, person.tenant, DecisionList(limit=200))
        mine = sum(log == person.tenant for log, _ in made)
        listed = [one for one in page.decisions if one.actor == person.subject]
        outcomes.append(len(listed) == mine and all(one.reason == Why.CHECKED for one in listed))
        outcomes.append(_own_is_refused(system, person))
    return Facts(len(outcomes), len(outcomes), outcomes.count(False))


def _refuses_silence(operation: Operation) -> bool:
    """True when the request names the missing reason."""
    try:
        operation.declaration.request.model_validate({})
    except ValidationError as error:
        return any(one["loc"] == ("reason",) and one["type"] == "missing" for one in error.errors())
    return False


def _told(system: System, log: str, request: str) -> bool:
    """True when opening and closing stand in the log, with the reason and the set of policies."""
    places = system.base.prover.locate(log, request)
    leaves = [read_leaf(system.base.reader.entry(log, place)) for place in places]
    facts = {name: value for leaf in leaves for name, value in leaf.get("facts", {}).items()}
    spoke = any(leaf.get("policies") for leaf in leaves)
    return len(leaves) == 2 and spoke and facts.get("reason") == Why.CHECKED and "ruleset" in facts


def _own_is_refused(system: System, person: Probe) -> bool:
    """Nobody holds what is their own: one of the places where a decision is somebody else's."""
    place = system.dispatcher.registry["hold.place"].declaration.request
    ends = epoch_ms(Ahead(system.base.clock, timedelta(days=1)).now())
    wish = place.model_validate({"basis": "self-check", "until": ends, "subject": person.subject})
    return refused(lambda: system.dispatcher.run("hold.place", person.caller("owner"), wish), Denied, code="own-hold")


CHECKS = (
    Check(
        "administrators-reviewed",
        ("AUD-02",),
        "Every log whose administrators acted: closed reviews must follow each other without a gap, stand in the log "
        "with range, seed and root, and none may be late. In a log of its own a lost review must be seen as a gap, one "
        "that nobody does as overdue, and nobody may judge their own act. Whether verdicts are right is not looked at; "
        "before the first review it says that none is due.",
        lambda system: _reviewed(system, _open),
        lambda system: _reviewed(system, _blind),
        every=6 * 3600,
        scope="logs in which administrators acted, and a synthetic one",
        population="logs, and steps of synthetic reviews",
    ),
    Check(
        "decisions-name-why",
        ("AUD-03",),
        "Every decision is called on its real road, with a body that does nothing: without a reason it must be "
        "refused, with one the log must hold it with reason and set of policies, and the list of decisions must show "
        "it. A hold on one's own data must be refused; that all other own decisions are is tested, not looked at here.",
        lambda system: _decided(system, reason=Why.CHECKED),
        _decided,
        every=6 * 3600,
        scope="all operations that decide about others",
        population="decisions, each without and with a reason",
    ),
)
