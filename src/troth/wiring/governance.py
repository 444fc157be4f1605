"""Builds the registers: what people must do and prove."""

from __future__ import annotations

from collections.abc import Callable

from troth.governance.calendar_operations import CalendarOperations
from troth.governance.holder import RegistersHolder
from troth.governance.house import House
from troth.governance.house_operations import HouseOperations
from troth.governance.loading import Forms
from troth.governance.operations import RegisterOperations
from troth.governance.registers import Registers
from troth.promises.catalogue import catalogue
from troth.promises.system import ALONE, NEIGHBOUR, PROBE_TENANT, Base, Governance, System
from troth.vault.rights.clocks import calendar_of
from troth.wiring.calendar import build_calendar
from troth.wiring.rooms import build_rooms


def build_governance(base: Base, system: Callable[[], System]) -> Governance:
    """The registers of every tenant, by the forms that are shipped and those of the folder in the settings.

    `system` is asked for when somebody looks at the calendar: it is built after this. Raises `Invalid` for a folder that
    cannot be read.
    """
    settings = base.settings
    registers = Registers(
        base.database,
        base.fields,
        base.outbox,
        base.clock,
        Forms(settings.governance.registers),
        home=calendar_of(settings.data.jurisdiction, frozenset(settings.rights.holidays)),
        lists={"promises": tuple(catalogue())},
        rooms=build_rooms(base, system),
    )
    calendar = build_calendar(registers, system)
    house = House(base.database, frozenset({PROBE_TENANT, NEIGHBOUR, ALONE}))
    operations = RegisterOperations(registers), CalendarOperations(calendar), HouseOperations(house)
    return Governance(registers=registers, house=house, operations=operations)


def build_registers_holder(base: Base) -> RegistersHolder:
    return RegistersHolder(base.database, base.fields)
