"""Builds the calendar: small readings of what other rooms keep with an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from troth.gateway.vendors.lapses import lapses
from troth.governance.agenda import Source
from troth.governance.calendar import Calendar
from troth.governance.dues import Due, plain_due
from troth.governance.looking import DAY_MS
from troth.governance.registers import Registers
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import NotFound
from troth.promises.system import System

_OPEN: Final = "open"
_ALL: Final = frozenset({"owner", "admin", "privacy-officer", "security-analyst"})
_KEEPERS: Final = frozenset({"owner", "admin", "security-analyst"})
# The first words of a lapse of a vendor -> what is told: the rest names companies, regions and conditions.
_LAPSES: Final = {
    "review": "review", "agreement": "agreement", "certificate": "certificate", "transfer": "transfer",
    "TLS": "tls-exception", "sub-processor": "sub-processor-begins", "regular": "regular-review",
    "contact": "contact-test", "condition": "condition",
}  # fmt: skip


def build_calendar(registers: Registers, system: Callable[[], System]) -> Calendar:
    """The calendar over registers and rooms. `system` is asked for when somebody looks: it is built after this."""
    rooms = Rooms(system)
    sources = (
        Source("vendors", _ALL, rooms.vendors),
        Source("access-reviews", _ALL, rooms.access_reviews),
        Source("log-reviews", frozenset({"owner", "privacy-officer", "security-analyst"}), rooms.log_reviews),
        Source("requests", frozenset({"owner", "privacy-officer"}), rooms.requests),
        Source("elevations", frozenset({"owner", "security-analyst"}), rooms.elevations),
        Source("auditors", frozenset({"owner", "admin"}), rooms.auditors),
        Source("keys", _KEEPERS, rooms.keys),
    )
    return Calendar(registers, sources)


class Rooms:
    """What each room keeps with an end, for a tenant at a moment (epoch ms)."""

    def __init__(self, system: Callable[[], System]) -> None:
        self._system = system

    def vendors(self, _tenant: str, now: int) -> Iterator[Due]:
        """Papers of vendors that requests may go to; what stops with each is the way to that vendor."""
        for record in self._system().gateway.vendors.all():
            if record.state == "approved":
                for one in lapses(record):
                    name = _LAPSES.get(one.what.split(" ")[0], "paper")
                    yield plain_due(("vendors", record.id, name), one.due, "operator", now=now, stops=one.stops)

    def access_reviews(self, tenant: str, now: int) -> Iterator[Due]:
        """The open review of access, or when the next begins."""
        campaigns = self._system().governing.campaigns
        newest = next((one for one, _ in campaigns.all_of(tenant)), None)
        if newest is not None and newest.state == _OPEN:
            place, end = ("access-reviews", newest.id, "review"), newest.due_at
            yield plain_due(place, end, "admin", now=now, stops=end)
            return
        since = newest.opened_at if newest else self._system().identity.tenants.get(tenant).created_at
        place = ("access-reviews", newest.id if newest else "first", "next-review")
        yield plain_due(place, since + campaigns.plan.every_days * DAY_MS, "admin", now=now)

    def log_reviews(self, tenant: str, now: int) -> Iterator[Due]:
        """The review of what administrators did, and what such a review left to be cleared up."""
        with suppress(NotFound):  # nothing was ever done there
            duty = self._system().reviewing.watch.duty(tenant)
            if duty.due_at is not None:
                yield plain_due(("log-reviews", f"from-{duty.reviewed}", "review"), duty.due_at, "owner", now=now)
            if (due := duty.follow_up_due_at) is not None:
                yield plain_due(("log-reviews", f"from-{duty.reviewed}", "follow-up"), due, "owner", now=now)

    def requests(self, tenant: str, now: int) -> Iterator[Due]:
        """Requests of people for their rights, by the last moment of the day on which they must be answered."""
        rights = self._system().vault.rights
        calendar = rights.register.calendar
        for one in rights.handling.queue(tenant):
            if one.open:
                end = epoch_ms(calendar.end(one.due(calendar)))
                yield plain_due(("requests", one.id, "answer"), end, "privacy-officer", now=now)

    def elevations(self, tenant: str, now: int) -> Iterator[Due]:
        """Roles for some hours that end, and uses of emergency access that nobody judged."""
        for one in self._system().governing.ledger.all_of(tenant):
            if one.state == "active" and one.expires_at > now:
                yield plain_due(("elevations", one.id, "ends"), one.expires_at, "owner", now=now, stops=one.expires_at)

    def auditors(self, tenant: str, now: int) -> Iterator[Due]:
        """When somebody's reading of the log ends."""
        for one in self._system().identity.auditors.list(tenant):
            place = ("auditors", one.user, "ends")
            yield plain_due(place, one.expires_at, "admin", now=now, stops=one.expires_at)

    def keys(self, _tenant: str, now: int) -> Iterator[Due]:
        """The end of the period of the roots of all keys; the job rotates them by itself."""
        tree = self._system().base.tree
        yield plain_due(("keys", f"epoch-{tree.epoch}", "rotation"), tree.rotation_due, "operator", now=now)
