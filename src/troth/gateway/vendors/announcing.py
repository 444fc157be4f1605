"""Who processes data, and where, is announced before the first request goes there (RGT-09; GDPR Art. 28(2)). Pure.

Everybody and every place that is new is published when a second operator approves the vendor; until the notice is over
the gate sends nothing there. A name that goes and comes back is announced anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from troth.gateway.vendors.papers import Tier
from troth.gateway.vendors.record import Announced, DueDiligence, VendorRecord
from troth.vault.rights.clocks import Calendar

_WHERE = frozenset({"base_url", "diligence", "name", "regions", "sub_processors"})  # what says who gets data, and where


@dataclass(frozen=True, slots=True)
class Notice:
    """How long people are told ahead, and where its last day ends."""

    days: int = 30
    home: Calendar = field(default_factory=Calendar)

    def ends(self, at: int) -> int:
        """The moment (epoch ms) at which a notice given at `at` is over: when its last day has ended."""
        day = self.home.day(datetime.fromtimestamp(at / 1000, UTC)) + timedelta(days=self.days)
        return round(self.home.end(day).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody who processes in a region. `since`: from when on; `told`: when people were told elsewhere, or None."""

    name: str
    region: str | None
    since: int = 0
    told: int | None = None
    chain: bool = False  # the vendor's own sub-processor

    @property
    def key(self) -> tuple[str, str | None]:
        return self.name, self.region


def third_party(facts: DueDiligence) -> bool:
    """False for what is built in or runs on this machine: nobody else receives anything."""
    built_in = facts.diligence is not None and facts.diligence.tier is Tier.BUILT_IN
    return not built_in and not facts.loopback


def places(facts: DueDiligence) -> Iterator[Place]:
    """Everybody and every place that these papers let data reach, now or later."""
    if not third_party(facts):
        return
    for region in facts.regions:
        yield Place(facts.name, region, told=facts.announced_at)
    for one in facts.sub_processors:
        yield Place(one.name, one.region, one.since, one.announced_at, chain=True)


def announced(record: VendorRecord, notice: Notice, now: int) -> tuple[Announced, ...]:
    """What stands announced once the papers are approved at `now`: what stood there stays, what is new begins.

    A date of an announcement made elsewhere counts from then, never from the future, and never from before the record
    said who that is and where: nobody can have been told of it.
    """
    since = _on_file(record, now)
    known = {(one.name, one.region): one for one in record.observed.announced or ()}
    found: dict[tuple[str, str | None], Announced] = {}
    for one in places(record.facts):
        at = now if one.told is None else min(max(one.told, since), now)
        anew = Announced(name=one.name, region=one.region, at=at, ends=notice.ends(at))
        found.setdefault(one.key, known.get(one.key, anew))
    return tuple(found.values())


def _on_file(record: VendorRecord, now: int) -> int:
    """When the record began to say where data goes as it does now. Of a history that was cut, the oldest line left."""
    history = record.observed.history
    said = [one.at for one in history if one.what == "added" or _WHERE & set(one.changed)]
    return said[-1] if said else history[0].at if history else now


def unannounced(record: VendorRecord, now: int) -> bool:
    """Whether data could reach somebody now whose notice is missing or still runs.

    Records of before announcements were kept (None) were in use already; the check of RGT-09 counts them as wrong.
    """
    if record.observed.announced is None:
        return False
    over = {(one.name, one.region) for one in record.observed.announced if one.ends <= now}
    return any(one.key not in over for one in places(record.facts) if one.since <= now)
