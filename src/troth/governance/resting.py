"""Who is behind with a training or a policy works no longer on production (GOV-03, GOV-06).

What administers, judges, reads the log or operates is refused from the moment at which the act is overdue until it is
done. One's own data, account and duties stay open, and so do the registers: there the act is done, or a mistake put
right. Enforcement compares dates at the moment of the call: what is remembered for some seconds are the dates.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import select

from troth.governance.lapses import rests_from, suspending
from troth.governance.looking import Look, Member
from troth.governance.registers import Registers
from troth.governance.tables import records
from troth.kernel.caller import Caller
from troth.kernel.clock import epoch_ms
from troth.kernel.dispatch import Decider, Decision
from troth.kernel.errors import TrothError
from troth.kernel.operation import Group, Operation
from troth.kernel.scope import SYSTEM, within

OVERDUE, UNKNOWN = "duty-overdue", "duties-unknown"
RULE: Final = "production-duties"  # as which the decision stands in the log
GROUPS: Final = frozenset({Group.ADMINISTER, Group.PRIVACY, Group.AUDIT, Group.ROOM, Group.REVIEW, Group.OPERATE})
_FRESH_SECONDS: Final = 5.0
_REMEMBERED: Final = 4096


@dataclass(slots=True)
class Duties:
    """From when on the access of a person rests. `house`: whose registers count for operators, None: nobody's."""

    registers: Registers
    house: Callable[[], str | None]
    seconds: float = _FRESH_SECONDS
    _held: OrderedDict[tuple[str, str], tuple[float, int | None]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def over(self, caller: Caller) -> bool:
        """Whether access rests now. A refusal rests on what stands there now, never on what is remembered.

        Raises what reading registers raises: IntegrityError for altered rows, Unavailable.
        """
        person = caller.subject
        tenant = self.house() if caller.kind == "operator" else caller.tenant
        if person is None or tenant is None:
            return False
        now = epoch_ms(self.registers.clock.now())
        since = self._remembered(tenant, person)
        if since is None or now < since:
            return False
        since = self._looked_up(tenant, person)
        return since is not None and now >= since

    def _remembered(self, tenant: str, person: str) -> int | None:
        with self._lock:
            held = self._held.get((tenant, person))
        if held is not None and time.monotonic() - held[0] < self.seconds:
            return held[1]
        return self._looked_up(tenant, person)

    def _looked_up(self, tenant: str, person: str) -> int | None:
        at = time.monotonic()
        with within(SYSTEM):
            since = self.since(tenant, person)
        with self._lock:
            self._held[tenant, person] = (at, since)
            self._held.move_to_end((tenant, person))
            while len(self._held) > _REMEMBERED:
                self._held.popitem(last=False)
        return since

    def since(self, tenant: str, person: str) -> int | None:
        """The moment (epoch ms) from which the access of an account rests; None: it owes nothing."""
        counts = self.registers.counts(tenant)
        found = [
            since
            for name in sorted(counts.keys() & set(self.registers.forms.names()))
            if (since := self._of_form(tenant, name, person)) is not None
        ]
        return min(found, default=None)

    def _of_form(self, tenant: str, name: str, person: str) -> int | None:
        form = self.registers.forms.get(name)
        over = {rule.over for rule in suspending(form)}
        members = {one: self._members(tenant, one, person) for one in over}
        if not any(members.values()):
            return None
        kept = self.registers.records(tenant, name)
        own = {member.id for several in members.values() for member in several}
        items = [one for one in self.registers.items(tenant, kept) if one.member in own]
        look: Look = replace(self.registers.look(tenant, form), members=members)
        return rests_from(form, kept, items, look)

    def _members(self, tenant: str, population: str, person: str) -> tuple[Member, ...]:
        """The record that stands for an account in a population, if there is one."""
        register, _, state = population.partition(".")
        mine = select(records.c.id, records.c.opened_at).where(
            records.c.tenant == tenant,
            records.c.form == register,
            records.c.state == state,
            records.c.account == person,
        )
        with self.registers.database.read() as connection:
            return tuple(Member(str(row.id), int(row.opened_at)) for row in connection.execute(mine))


@dataclass(frozen=True, slots=True)
class DutiesForProduction:
    """Implements `kernel.dispatch.Decider`: what the others allow, less what waits for a training or a policy."""

    decider: Decider
    duties: Duties

    def decide(self, caller: Caller, operation: Operation) -> Decision:
        """The decision, or a refusal with the remedy `duty-overdue`; `duties-unknown` when nobody can tell."""
        decision = self.decider.decide(caller, operation)
        if not decision.allowed or operation.declaration.group not in GROUPS:
            return decision
        try:
            remedy = OVERDUE if self.duties.over(caller) else None
        except TrothError:
            remedy = UNKNOWN
        return decision if remedy is None else _refused(decision, remedy)


def _refused(decision: Decision, remedy: str) -> Decision:
    return Decision(
        allowed=False, policies=(RULE,), evidence=decision.evidence, ruleset=decision.ruleset, remedy=remedy
    )
