"""Builds the registers: what people must do and prove."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from troth.governance.attachment_operations import AttachmentOperations
from troth.governance.attachments import Attachments
from troth.governance.calendar_holder import CalendarHolder
from troth.governance.config_reviews import ConfigReviews
from troth.governance.data_map.own import map_of
from troth.governance.holder import RegistersHolder
from troth.governance.house import House
from troth.governance.house_operations import HouseOperations
from troth.governance.loading import Forms
from troth.governance.obliged import Populations
from troth.governance.operations import RegisterOperations
from troth.governance.registers import Registers
from troth.governance.resting import Duties, DutiesForProduction
from troth.governance.review_operations import ConfigReviewOperations, PopulationOperations
from troth.kernel.dispatch import Decider
from troth.promises.catalogue import catalogue
from troth.promises.system import ALONE, NEIGHBOUR, PROBE_TENANT, Base, Governance, System
from troth.vault.rights.clocks import calendar_of
from troth.wiring.calendar import build_calendar
from troth.wiring.configuration import configuration
from troth.wiring.reminding import build_reminding
from troth.wiring.rooms import build_rooms
from troth.wiring.statement import build_statements, statement_operations


def build_governance(base: Base, system: Callable[[], System]) -> Governance:
    """The registers of every tenant, by the forms that are shipped and those of the folder in the settings.

    `system` is asked for when somebody looks at the calendar: it is built after this. Raises `Invalid` for a folder
    or a file of activities that cannot be read.
    """
    settings, of = base.settings, map_of(base.settings.governance.data_map)
    registers = Registers(
        base.database,
        base.fields,
        base.outbox,
        base.clock,
        Forms(settings.governance.registers),
        home=calendar_of(settings.data.jurisdiction, frozenset(settings.rights.holidays)),
        lists={"promises": tuple(catalogue())},
        rooms=build_rooms(base, system, of),
    )
    outgoing = build_reminding(base, build_calendar(registers, system), system)
    house = House(base.database, base.clock, frozenset({PROBE_TENANT, NEIGHBOUR, ALONE}))
    statements = build_statements(base, system, of)
    told = HouseOperations(house), statement_operations(statements)
    attachments = Attachments(registers, lambda: system().vault.objects)
    reviews = ConfigReviews(registers, attachments, _named(base), partial(configuration, base, system))
    populations = Populations(registers, _named(base))
    kept = (
        RegisterOperations(registers, attachments),
        AttachmentOperations(attachments),
        ConfigReviewOperations(reviews),
        PopulationOperations(populations),
    )
    operations = *kept, *outgoing.operations, *told
    return Governance(
        registers=registers,
        house=house,
        reminders=outgoing.reminders,
        deliveries=outgoing.deliveries,
        second=outgoing.second,
        news=outgoing.news,
        statements=statements,
        reviews=reviews,
        populations=populations,
        operations=operations,
    )


def _named(base: Base) -> Callable[[], str | None]:
    house = House(base.database, base.clock)

    def named() -> str | None:
        found = house.named()
        return None if found is None else found.tenant

    return named


def resting(base: Base, governance: Governance, decider: Decider) -> Decider:
    """What `decider` allows, less what waits for a training or a policy of the one who asks."""
    if not base.settings.governance.suspend_overdue:
        return decider

    return DutiesForProduction(decider, Duties(governance.registers, _named(base)))


def build_registers_holder(base: Base) -> RegistersHolder:
    return RegistersHolder(base.database, base.fields)


def build_calendar_holder(base: Base) -> CalendarHolder:
    return CalendarHolder(base.database)
