"""The public list of who processes data, where, and from when (RGT-09; GDPR Art. 13(1)(e) and (f), 28(2))."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from troth.gateway.vendors.announcing import Place, places
from troth.gateway.vendors.papers import DAY_MS
from troth.gateway.vendors.record import State, VendorRecord
from troth.gateway.wire.fields import Answer, Wire
from troth.kernel.clock import Clock, epoch_ms, iso
from troth.kernel.operation import Call, Group, Route, operation

_FRESH_MS = 5_000  # a crowd that asks is given the same answer

Standing = Literal["announced", "in-use", "stopped"]


class Register(Protocol):
    """Where vendors stand."""

    def all(self) -> Sequence[VendorRecord]:
        """Every vendor of any state."""
        ...


class ListSubProcessors(Wire):
    """A request without fields."""


class SubProcessorShown(Answer):
    """Somebody in a region. `announced_at` None: in use before announcements were kept.

    `routed_from`: the moment from which data may reach it; `days_left` until then, begun days count; `by`: whose
    sub-processor it is; `tasks`: what it does for us.
    """

    name: str
    region: str | None
    by: str | None
    tasks: tuple[str, ...]
    state: Standing
    announced_at: str | None
    routed_from: str | None
    days_left: int


class SubProcessors(Answer):
    """By name and region."""

    sub_processors: tuple[SubProcessorShown, ...]


class SubProcessorOperations:
    """What anybody may know of the vendors."""

    def __init__(self, vendors: Register, clock: Clock) -> None:
        self._vendors = vendors
        self._clock = clock
        self._lock = threading.Lock()
        self._last: tuple[int, SubProcessors] | None = None

    @operation("subprocessor.list", group=Group.PUBLIC, request=ListSubProcessors, command=("sub-processor", "list"),
               route=Route("GET", "/v1/sub-processors", body="none"))  # fmt: skip
    def list(self, _call: Call, _request: ListSubProcessors) -> SubProcessors:
        """List who processes data, where, and from when; five seconds old at most."""
        now = epoch_ms(self._clock.now())
        with self._lock:
            if self._last is None or not 0 <= now - self._last[0] < _FRESH_MS:
                self._last = (now, SubProcessors(sub_processors=listed(self._vendors.all(), now)))
            return self._last[1]


def listed(vendors: Sequence[VendorRecord], now: int) -> tuple[SubProcessorShown, ...]:
    """Everybody who was ever approved, as anybody may see them at `now` (epoch ms). Drafts are nobody's business yet.

    A vendor that is suspended, or amended and not approved again, is stopped: it gets nothing.
    """
    rows = [_shown(one, place, now) for one in vendors if _published(one) for place in _published_places(one)]
    return tuple(sorted(rows, key=lambda one: (one.name, one.region or "", one.by or "")))


def _published(record: VendorRecord) -> bool:
    """Whether its papers were ever approved: a draft that was suspended was not, and amended papers wait again."""
    approved = record.state is State.APPROVED or record.approved_by is not None
    return record.observed.announced is not None or approved


def _published_places(record: VendorRecord) -> Iterator[Place]:
    """What was approved; of papers that were amended since, only those places that stood announced already."""
    known = {(one.name, one.region) for one in record.observed.announced or ()}
    for place in places(record.facts):
        if record.observed.announced is None or place.key in known:
            yield place


def _shown(record: VendorRecord, place: Place, now: int) -> SubProcessorShown:
    told = next((one for one in record.observed.announced or () if (one.name, one.region) == place.key), None)
    begins = max(place.since, told.ends if told else 0)
    state: Standing = "in-use" if begins <= now else "announced"
    return SubProcessorShown(
        name=place.name,
        region=place.region,
        by=record.facts.name if place.chain else None,
        tasks=tuple(sorted({one.kind for one in record.facts.offers})),
        state=state if record.state is State.APPROVED else "stopped",
        announced_at=None if told is None else iso(told.at),
        routed_from=None if begins == 0 else iso(begins),
        days_left=max(0, -(-(begins - now) // DAY_MS)),
    )
