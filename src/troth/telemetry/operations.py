"""What doors may ask about availability; all of it is public."""

from __future__ import annotations

import threading
import time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from troth.kernel.clock import Clock, epoch_ms, iso, iso_if
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.storage.database import Database
from troth.telemetry import samples
from troth.telemetry.days import Days
from troth.telemetry.figures import DayLevel, Level, by_day, levels
from troth.telemetry.probing import Probe
from troth.telemetry.samples import DAY_MS, HOUR_MS, KEPT_DAYS

_MOST_OUTAGES = 50
_FRESH_SECONDS = 5.0  # a crowd that asks is given the same answer


class Nothing(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DayRequest(BaseModel):
    """One day in UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]$")]


class OutageView(BaseModel):
    """Looks that failed one after the other. `ended` is missing while it lasts, or when nobody looked afterwards."""

    target: str
    began: str
    last: str
    ended: str | None
    looks: int


class DayView(BaseModel):
    """One day; `signed` when its figures stand in the operator's log."""

    figures: DayLevel
    signed: bool


class StatusView(BaseModel):
    """Availability by looks of the server at its own door. What was not looked at is no data.

    `objective` in percent; `pace` in seconds; `key` checks the proofs of signed days.
    """

    at: str
    objective: float
    pace: int
    levels: list[Level]
    targets: dict[str, list[Level]]
    days: list[DayView]
    outages: list[OutageView]
    key: str


class StatusOperations:
    """Figures of availability, and the proofs of the days."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        probe: Probe,
        days: Days,
        *,
        objective: float,
        key: str,
        fresh: float = _FRESH_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._probe = probe
        self._days = days
        self._objective = objective
        self._key = key
        self._fresh = fresh
        self._lock = threading.Lock()
        self._last: tuple[float, StatusView] | None = None

    @operation(
        "status.show",
        group=Group.PUBLIC,
        request=Nothing,
        route=Route("GET", "/v1/status", body="none"),
        command=("status", "show"),
    )
    def show(self, _call: Call, _request: Nothing) -> StatusView:
        """Availability and latency of the last 24 hours, 30 and 90 days, day by day; at most five seconds old."""
        with self._lock:  # strangers ask, and a view costs a tenth of a second
            if self._last is None or time.monotonic() - self._last[0] >= self._fresh:
                self._last = (time.monotonic(), self._view())
            return self._last[1]

    @operation(
        "status.entry",
        group=Group.PUBLIC,
        request=DayRequest,
        route=Route("GET", "/v1/status/{day}/entry", body="none"),
        command=("status", "entry"),
    )
    def entry(self, _call: Call, request: DayRequest) -> Binary:
        """The log's entry with the figures of a day."""
        return Binary(self._days.entry(request.day), "application/json", f"status-{request.day}.json")

    @operation(
        "status.prove",
        group=Group.PUBLIC,
        request=DayRequest,
        route=Route("GET", "/v1/status/{day}/proof", body="none"),
        command=("status", "proof"),
    )
    def prove(self, _call: Call, request: DayRequest) -> Binary:
        """The proof that this entry stands in the operator's log, to be checked offline."""
        return Binary(self._days.proof(request.day).encode(), "text/plain", f"status-{request.day}.tlog-proof")

    def _view(self) -> StatusView:
        now = epoch_ms(self._clock.now())
        with self._database.read() as connection:
            rows = samples.recorded(connection, now - KEPT_DAYS * DAY_MS - HOUR_MS)
            troubles, signed = samples.troubles(connection, _MOST_OUTAGES), samples.signed_days(connection)
        due = {one.name: self._probe.due(one) for one in self._probe.targets}
        wish = self._objective
        return StatusView(
            at=iso(now),
            objective=wish,
            pace=self._probe.seconds,
            levels=levels(rows, now, objective=wish, due=sum(due.values())),
            targets={
                name: levels([one for one in rows if one.target == name], now, objective=wish, due=count)
                for name, count in due.items()
            },
            days=[DayView(figures=one, signed=one.day in signed) for one in by_day(rows, now, due=sum(due.values()))],
            outages=[
                OutageView(
                    target=one.target,
                    began=iso(one.began),
                    last=iso(one.last),
                    ended=iso_if(one.ended),
                    looks=one.looks,
                )
                for one in troubles
            ],
            key=self._key,
        )
