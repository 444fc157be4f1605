"""Who had to do what at some moment: everybody of a population as it was then, not as it is today.

A population of then is a function of the entries that there were, which the chains of the records and the log hold.
Each day its digest stands in the log, so that what is told later of a day can be compared with what was so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from troth.audit.leaf import read_leaf
from troth.audit.log import Filter, LogReader
from troth.governance import store
from troth.governance.forms.form import Form, PopulationRule
from troth.governance.looking import DAY_MS, Look
from troth.governance.moves import By
from troth.governance.populations import Owed, Snapshot, owed, taken
from troth.governance.records import Record
from troth.governance.registers import Registers
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome
from troth.kernel.scope import as_system

COUNTED: Final = "register.counted"
ACTOR: Final = "svc_registers"


@dataclass(frozen=True, slots=True)
class Obliged:
    """What everybody of a population owed for a record. `forgotten`: of whom nobody can tell any more whether they did
    it, because they were erased since."""

    snapshot: Snapshot
    over: str
    everybody: tuple[Owed, ...]
    forgotten: frozenset[str]


@dataclass(frozen=True, slots=True)
class Populations:
    """Populations of registers at a moment. `house`: the tenant whose populations are counted each day."""

    registers: Registers
    house: Callable[[], str | None]

    def at(self, by: By, form: str, record: str, population: str, at: int | None = None) -> Obliged:
        """Who had to, for a record, at a moment (epoch ms; now, if not said).

        Raises NotFound(record-not-found, no-such-move), Denied(wrong-role) also for who may not read the register of
        the people, Conflict(not-now) for a moment at which the record asked for nothing, or that is to come.
        """
        rules, now = self.registers.form(by.tenant, form), epoch_ms(self.registers.clock.now())
        rule = rules.populations.get(population)
        if rule is None:
            raise NotFound("This register asks for no such act.", code="no-such-move")
        people = self.registers.form(by.tenant, rule.over.partition(".")[0])
        for one in (rules, people):
            if not by.roles & set(one.read):
                raise Denied(f"This register is for: {', '.join(one.read)}.", code="wrong-role")
        moment = now if at is None else at
        found = next((one for one in self.registers.records(by.tenant, form, moment) if one.id == record), None)
        if found is None:
            raise NotFound("There was no such record at that moment.", code="record-not-found")
        if moment > now or found.state not in rule.states:
            raise Conflict("Nothing of the kind was asked for this record at that moment.", code="not-now")
        return self._of(by.tenant, rules, rule, found, self.registers.look(by.tenant, rules, moment, past=True))

    @as_system
    def run(self) -> int:
        """Put the digest of each population of the house into the log, once a day; how many. For a job of any number of
        servers: two of them say the same twice at worst."""
        tenant, now = self.house(), epoch_ms(self.registers.clock.now())
        if tenant is None or now - self._last(tenant) < DAY_MS:
            return 0
        forms, _ = self.registers.forms.sound()
        return sum(self._counted(tenant, form, now) for form in forms if form.populations)

    def _counted(self, tenant: str, form: Form, now: int) -> int:
        kept, look = self.registers.records(tenant, form.name), self.registers.look(tenant, form, now)
        asked = [(rule, one) for rule in form.populations.values() for one in kept if one.state in rule.states]
        for rule, record in asked:
            self._tell(tenant, form, record, self._of(tenant, form, rule, record, look))
        return len(asked)

    def _of(self, tenant: str, form: Form, rule: PopulationRule, record: Record, look: Look) -> Obliged:
        everybody = owed(form, rule, record, self.registers.items(tenant, [record]), look) or ()
        snapshot = taken(rule.name, look.now, (one.member for one in everybody))
        with self.registers.database.read() as connection:
            gone = store.forgotten(connection, tenant, rule.over.partition(".")[0])
        return Obliged(snapshot, rule.over, everybody, gone & set(snapshot.members))

    def _last(self, tenant: str) -> int:
        try:
            reader = LogReader(self.registers.database)
            page = reader.page(tenant, Filter(operation=COUNTED), before=None, limit=1)
        except NotFound:  # the tenant's first entries are still on their way
            return 0
        return max((int(read_leaf(one.leaf).get("time", 0)) for one in page.entries), default=0)

    def _tell(self, tenant: str, form: Form, record: Record, found: Obliged) -> None:
        facts: dict[str, Fact] = {
            "register": form.name, "object": record.id, "population": found.snapshot.population,
            "count": len(found.snapshot.members), "digest": found.snapshot.digest,
        }  # fmt: skip
        entry = Entry(
            log=tenant, operation=COUNTED, phase="event", outcome=Outcome.DONE, request=new_id("req"), actor=ACTOR,
            tenant=tenant, time=found.snapshot.at, facts=facts,
        )  # fmt: skip
        self.registers.recorder.record(entry)
