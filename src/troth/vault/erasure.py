"""Forgetting objects, people, periods and tenants, as a durable workflow: every step is idempotent, a crash resumes.

requested -> approved? -> closed until due? -> held? -> tombstone -> keys destroyed -> each holder forgets -> keys of
what was shared destroyed -> journal emptied -> what was erased must not open -> ciphertext deleted -> audit entry ->
proof -> signed certificate. The ledger holds all state, memory none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, NotFound, TrothError, Unavailable
from troth.vault import fences, ledger
from troth.vault.dual_control import Control, DualControl
from troth.vault.erasure_marks import Guard, Marks
from troth.vault.erasure_reading import Reader, Readings
from troth.vault.erasure_requests import Requests, Wish
from troth.vault.erasure_steps import MANY, Steps
from troth.vault.ground import Ground
from troth.vault.ledger import Erasure
from troth.vault.tables import ERASED

__all__ = ["Erasures", "Guard", "Reader"]
_HELD = "A legal duty to keep this is on record; your request is kept and completes when the hold is lifted."
Given = TypeVar("Given")
_BATCH = 1000  # erasures that share one destroyed root


class Erasures(Readings):
    """Erasures of objects, people, periods and tenants."""

    def __init__(self, ground: Ground, steps: Steps, guard: Guard, *, control: Control | None = None) -> None:
        super().__init__(ground)
        self._steps = steps
        self._marks = Marks(ground, guard)
        self._control = DualControl(ground, control or Control(), guard)
        self._requests = Requests(ground, self._marks, self._control)

    def request(
        self,
        tenant: str,
        subject: str,
        *,
        actor: str,
        request: str,
        object_id: str | None = None,
        must_exist: bool = False,
        immediate: bool = False,
    ) -> Erasure:
        """Erase a person, or one of their objects with all that derives from it. Durable before anything is touched.

        A second request for the same target gives the same erasure. What cannot be completed now (a key domain or the
        log is away, or there is much to clear away) is live already and stays `running`; `resume` completes it. An
        officer's request may have to wait for a second officer (`waiting`), or stay closed for the delay of the
        settings (`closing`) unless `immediate`.
        Raises `NotFound` or `Gone` for an object that is not there, `Conflict` (held) under a legal hold: the request
        stays and completes when it is lifted. `Conflict` (last-owner) for the last owner of a tenant with other people:
        nothing is asked then. `must_exist` refuses a person of whom no holder has anything (`NotFound`), and one whose
        erasure has begun at somebody else's request (`Gone`): who it was is told to nobody once more.
        """
        if must_exist:
            self._require_there(tenant, subject, actor)
        wish = Wish(tenant, ledger.OBJECT if object_id else ledger.SUBJECT, actor, request, subject, object_id)
        return self._asked(self._requests.enter(wish, immediate=immediate))

    def request_period(
        self, tenant: str, data_class: DataClass, before: int, *, actor: str, request: str, immediate: bool = False
    ) -> Erasure:
        """Erase what a tenant has of a class that was kept before a moment (epoch ms), whoever's it is.

        What a legal hold binds is left out and counted. Raises `NotFound` when there is nothing.
        """
        wish = Wish(tenant, ledger.PERIOD, actor, request, data_class=data_class.value, before=before)
        return self._asked(self._requests.enter(wish, immediate=immediate))

    def request_tenant(self, tenant: str, *, actor: str, request: str, immediate: bool = False) -> Erasure:
        """Erase everything of a tenant: people, objects, accounts, rules, keys. Always waits for a second officer."""
        wish = Wish(tenant, ledger.TENANT, actor, request)
        return self._asked(self._requests.enter(wish, immediate=immediate))

    def holds_anything(self, tenant: str, subject: str) -> bool:
        """True when any holder keeps something of this person."""
        return self._steps.holds_anything(tenant, subject)

    def approve(
        self, tenant: str, erasure_id: str, *, actor: str, subject: str = "", whole_tenant: bool = False
    ) -> Erasure:
        """A second officer (operator for a `whole_tenant`) agrees: it goes on at once, or closes until it is due.

        Raises `NotFound`, `Denied` (own-erasure, not-apart), `Conflict` (not-waiting).
        """
        self._require_scope(tenant, erasure_id, whole_tenant=whole_tenant)
        return self._asked(self._control.approve(tenant, erasure_id, actor=actor, subject=subject))

    def cancel(self, tenant: str, erasure_id: str, *, actor: str, whole_tenant: bool = False) -> Erasure:
        """Call off what has not begun; what it shut is open again.

        Raises `NotFound`, `Denied` (not-yours) for what a person asked for themselves, `Conflict` (too-late).
        """
        self._require_scope(tenant, erasure_id, whole_tenant=whole_tenant)
        with self._ground.database.write() as connection:
            erasure = self._control.call_off(connection, tenant, erasure_id, actor=actor)
            self._marks.reopen(connection, erasure)
        return self.read(erasure_id)

    def advance(self, erasure_id: str, *, at_most: int | None = None) -> Erasure:
        """Do the steps that are not done; returns the erasure as it then stands. `at_most` as in `Steps.run`.

        Raises `Unavailable` when something it needs is away, `IntegrityError` when an erased thing still opens: then
        there is no certificate.
        """
        erasure = self.read(erasure_id)
        if self._ready(erasure):
            self._steps.run(erasure, at_most=at_most)
        return self.read(erasure_id)

    def resume(self) -> list[Erasure]:
        """Go on with every unfinished erasure, held ones too; what still cannot be finished stays for next time.

        Those that are due share the destruction of one root.
        """
        with self._ground.database.read() as connection:
            waiting = ledger.unfinished(connection)
        return self.finish(one.id for one in waiting)

    def resume_held(self, tenant: str) -> list[Erasure]:
        """Go on with the erasures of a tenant that a hold kept waiting."""
        with self._ground.database.read() as connection:
            held = ledger.held_of(connection, tenant)
        return self.finish(held)

    def finish(self, identifiers: Iterable[str]) -> list[Erasure]:
        """Bring erasures as far as they go now; each as it then stands."""
        wanted = list(identifiers)
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            ready = [one for one in map(self.read, batch) if self._quietly(self._ready, one)]
            if len(ready) > 1:
                self._quietly(self._steps.run_together, ready)
            for one in ready:
                self._quietly(self._steps.run, one)
        return [self.read(one) for one in wanted]

    def _require_there(self, tenant: str, subject: str, actor: str) -> None:
        found = self.of_person(tenant, subject)
        if found is None and not self._steps.holds_anything(tenant, subject):
            raise NotFound("Nothing is kept of such a person in your tenant.")
        asker = ledger.PERSON if actor == subject else actor
        if found is not None and found.state in (ledger.RUNNING, ledger.DONE) and found.actor != asker:
            fences.require_open(ERASED)

    def _require_scope(self, tenant: str, erasure_id: str, *, whole_tenant: bool) -> None:
        """Officers decide about people of their tenant, operators about tenants; neither sees the other's."""
        if (self.show(tenant, erasure_id).scope == ledger.TENANT) is not whole_tenant:
            raise ledger.unknown()

    def _asked(self, erasure: Erasure) -> Erasure:
        try:
            erasure = self.advance(erasure.id, at_most=MANY)
        except (Unavailable, Conflict):
            erasure = self.read(erasure.id)
            if erasure.state == ledger.REQUESTED:
                raise
        if erasure.state == ledger.HELD:
            raise Conflict(_HELD, code="held")
        return erasure

    def _ready(self, erasure: Erasure) -> bool:
        """True when its steps may run: not at rest, due, and its tombstone set."""
        if erasure.state in (ledger.DONE, ledger.CANCELLED, ledger.WAITING):
            return False
        if erasure.state != ledger.RUNNING and erasure.due_at is not None and erasure.due_at > self._ground.now():
            self._marks.close(erasure)
            return False
        return self._marks.tombstone(erasure)

    @staticmethod
    def _quietly(work: Callable[[Given], object], given: Given) -> bool:
        """Do it; what refuses now is tried again in the next round."""
        try:
            return bool(work(given))
        except TrothError:
            return False
