"""Builds the reports of periods."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from troth.governance.house import House
from troth.governance.tables import events
from troth.kernel.scope import SYSTEM
from troth.promises.period.gathering import Sources
from troth.promises.period.operations import PeriodOperations
from troth.promises.period.report import RegisterEvent
from troth.promises.runner import Runner
from troth.promises.status import Period
from troth.promises.system import Base


def build_period(base: Base, runner: Runner, house: House) -> PeriodOperations:
    """Reports of what stands in the log."""
    return PeriodOperations(period_sources(base, runner, house), base.signer)


def period_sources(base: Base, runner: Runner, house: House) -> Sources:
    """Where reports come from; events of the house's registers go to people of the house alone."""

    def told(tenant: str | None, period: Period) -> Sequence[RegisterEvent]:
        named = house.named()
        return _events(base, tenant, period) if named is not None and named.tenant == tenant else ()

    evidence = runner.evidence
    return Sources(
        base.database, base.reader, base.prover, evidence.schedules, base.clock, evidence.waivers, events=told
    )


def _events(base: Base, tenant: str | None, period: Period) -> list[RegisterEvent]:
    within = (events.c.tenant == tenant, events.c.at >= period.start, events.c.at < period.end)
    query = select(events).where(*within).order_by(events.c.form, events.c.record, events.c.sequence)
    with base.database.read(SYSTEM) as connection:
        return [
            RegisterEvent(row.form, row.record, row.sequence, row.at, row.move, row.digest, row.previous)
            for row in connection.execute(query)
        ]
