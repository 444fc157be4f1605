"""Who may destroy how much alone: more people than one officer may erase a day wait for a second one (issue 3)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from troth.kernel.errors import Conflict, Denied
from troth.kernel.record import Fact
from troth.vault import ledger, rule_changes
from troth.vault.deadlines import DAY_MS, MINUTE_MS
from troth.vault.erasure_marks import Guard
from troth.vault.ground import Ground, subject_digest
from troth.vault.ledger import Erasure

_SERVICE = "svc_"  # acts for nobody: sweeps and self-checks, which no door reaches
_MOVE = "opr_move-arrival-"  # the signed word of another installation in a tenant's move, which no door speaks
_APPROVABLE = (ledger.WAITING,)
_OPEN = (ledger.WAITING, ledger.CLOSING, ledger.HELD, ledger.REQUESTED)


@dataclass(frozen=True, slots=True)
class Control:
    """`approval_above`: people whom one officer may have erased within a day without a second officer.

    `delay_minutes` and `bulk_delay_minutes`: how long an officer's erasure of one person, or one that was approved, is
    closed and can be called off before keys are destroyed.
    """

    approval_above: int = 10
    delay_minutes: int = 0
    bulk_delay_minutes: int = 0


class DualControl:
    """Decides what must wait, and takes the decisions."""

    def __init__(self, ground: Ground, control: Control, guard: Guard) -> None:
        self._ground = ground
        self._control = control
        self._guard = guard

    def weigh(self, connection: Connection, scope: str, actor: str, people: int, *, immediate: bool) -> tuple[str, int]:
        """The state in which an erasure begins, and its delay in ms.

        A person's own erasure never waits, and a whole tenant's always does. What the officer's retention rules ended
        within the day counts too.
        """
        alone = actor == ledger.PERSON or actor.startswith(_SERVICE) or scope == ledger.OBJECT
        if alone and scope != ledger.TENANT:
            return ledger.REQUESTED, 0
        before = rule_changes.people_ended(connection, actor, self._ground.now() - DAY_MS)
        bulk = scope == ledger.TENANT or before + people > self._control.approval_above
        minutes = self._control.bulk_delay_minutes if bulk else self._control.delay_minutes
        return ledger.WAITING if bulk else ledger.REQUESTED, 0 if immediate else minutes * MINUTE_MS

    def approve(self, tenant: str, erasure_id: str, *, actor: str, subject: str) -> Erasure:
        """A second officer agrees; the delay runs from now.

        Raises `NotFound`, `Denied` (own-erasure) for who asked for it or is erased by it, `Denied` (not-apart) for who
        became an officer after it was asked for or through who asked for it, `Conflict` (not-waiting).
        """
        now = self._ground.now()
        with self._ground.database.write() as connection:
            erasure = self._found(connection, tenant, erasure_id)
            if erasure.state not in _APPROVABLE:
                raise Conflict("This erasure does not wait for an approval.", code="not-waiting")
            if actor == erasure.actor or erasure.subject_digest == subject_digest(tenant, subject):
                raise Denied(
                    "Nobody approves what they asked for, or what is about them; ask another officer.",
                    code="own-erasure",
                )
            self._require_apart(connection, erasure, actor)
            ledger.decide(connection, erasure, actor, ledger.APPROVED, now)
            ledger.change(connection, erasure.id, state=ledger.REQUESTED, due_at=now + erasure.delay)
            self._event(connection, erasure, "erasure.approved", actor)
            return ledger.lock(connection, erasure.id) or erasure

    def call_off(self, connection: Connection, tenant: str, erasure_id: str, *, actor: str) -> Erasure:
        """Note that it will not happen, in the caller's transaction.

        Raises `NotFound`, `Denied` (not-yours) for what a person asked for themselves, `Conflict` (too-late).
        """
        erasure = self._found(connection, tenant, erasure_id)
        if erasure.own or erasure.scope == ledger.RETENTION:
            raise Denied("Only who asked for it can call this off.", code="not-yours")
        if erasure.state not in _OPEN or ledger.result(connection, erasure.id, "tombstone") is not None:
            raise Conflict("This erasure has begun; nothing can call it off.", code="too-late")
        now = self._ground.now()
        ledger.decide(connection, erasure, actor, ledger.CALLED_OFF, now)
        ledger.call_off(connection, erasure, now)
        self._event(connection, erasure, "erasure.called-off", actor)
        return erasure

    def _require_apart(self, connection: Connection, erasure: Erasure, actor: str) -> None:
        apart = self._guard.stands_apart(connection, actor, erasure.actor, erasure.requested_at)
        if not apart and not actor.startswith(_MOVE):
            raise Denied(
                "Who approves this had that role before it was asked for, and not from who asked; ask another officer.",
                code="not-apart",
            )

    def _found(self, connection: Connection, tenant: str, erasure_id: str) -> Erasure:
        erasure = ledger.lock(connection, erasure_id)
        if erasure is None or erasure.tenant != tenant:
            raise ledger.unknown()
        return erasure

    def _event(self, connection: Connection, erasure: Erasure, operation: str, actor: str) -> None:
        facts: dict[str, Fact] = {"erasure": erasure.id, "kinds": {erasure.scope: 1}}
        entry = self._ground.entry(operation, erasure.tenant, erasure.request, actor, facts)
        self._ground.event(connection, entry)
