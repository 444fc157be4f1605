"""The promise that people learn who processes their data before it happens (RGT-09)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from troth.gateway.sub_processors import ListSubProcessors, SubProcessorShown, listed
from troth.gateway.vendors.announcing import third_party
from troth.gateway.vendors.papers import SubProcessor
from troth.gateway.vendors.record import Announced, Observed, VendorRecord
from troth.kernel.caller import Connection, anonymous
from troth.kernel.clock import epoch_ms, iso
from troth.promises.check import Check, Facts, counted
from troth.promises.desk import DAY_MS, Desk, vendor
from troth.promises.probe import probe, refused
from troth.promises.system import System

_AFTER = 30 * DAY_MS
Told = Callable[[VendorRecord, int], tuple[Announced, ...] | None]


def _running(record: VendorRecord, now: int) -> tuple[Announced, ...]:
    """Everybody of the record announced just now, so that the last day of the notice lies ahead."""
    return _over(record, now + _AFTER)


def _over(record: VendorRecord, ends: int) -> tuple[Announced, ...]:
    facts = record.facts
    names: list[tuple[str, str | None]] = [(facts.name, region) for region in facts.regions]
    names += [(one.name, one.region) for one in facts.sub_processors]
    return tuple(Announced(name=name, region=region, at=ends - _AFTER, ends=ends) for name, region in names)


def _noticed(system: System, told: Told) -> Facts:
    """Nothing goes to whom a notice still runs for; all who get something stand in the public list."""
    now = epoch_ms(system.base.clock.now())
    away: dict[str, Any] = {"base_url": "https://vendor.example", "regions": ("here",)}
    with probe(system) as person:
        fresh = _with(vendor(now, **away), lambda one: told(one, now))
        over = _with(fresh, lambda one: _over(one, now))
        last = _with(fresh, lambda one: None if told(one, now) is None else _over(one, now + DAY_MS))
        chain = SubProcessor(name="made-up-hoster", region="here", accepted=True)
        further = _with(vendor(now, **away, sub_processors=(chain,)), lambda one: told(one, now))
        outcomes = [Desk(person=person, record=one).stops("notice-running") for one in (fresh, last, further)]
        outcomes.append(not refused(lambda: Desk(person=person, record=over).ask("Say hello.")))
        shown = listed([fresh], now)
        outcomes.append([(one.state, one.routed_from) for one in shown] == [("announced", iso(now + _AFTER))])
    stranger = anonymous(Connection(None, "in-process"))
    public = system.dispatcher.run("subprocessor.list", stranger, ListSubProcessors()).sub_processors
    return counted(outcomes + [_told_of(one, public) for one in _in_use(system)])


def _with(record: VendorRecord, announced: Callable[[VendorRecord], tuple[Announced, ...] | None]) -> VendorRecord:
    return record.model_copy(update={"observed": Observed(announced=announced(record))})


def _in_use(system: System) -> list[VendorRecord]:
    return [one for one in system.gateway.vendors.all() if third_party(one.facts) and one.state == "approved"]


def _told_of(record: VendorRecord, public: tuple[SubProcessorShown, ...]) -> bool:
    """Whether each place of it stands in the public list with the day of its announcement."""
    rows = {(one.name, one.region) for one in public if one.announced_at is not None}
    own = {(record.facts.name, region) for region in record.facts.regions}
    return own | {(one.name, one.region) for one in record.facts.sub_processors} <= rows


CHECKS = (
    Check(
        "sub-processor-notice",
        ("RGT-09",),
        "Synthetic requests to vendors, and to one with a sub-processor, whose notice still runs must stay here, and "
        "go when it is over; every approved vendor away from this machine must stand in the public list, each place "
        "with the day of its announcement. Whether subscribers read it is not looked at.",
        lambda system: _noticed(system, _running),
        lambda system: _noticed(system, lambda _record, _now: None),
        every=6 * 3600,
        population="attempts and vendors",
        scope="synthetic notices, and approved vendors on file",
    ),
)
