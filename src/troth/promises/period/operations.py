"""What auditors ask of a period: the report as one file that is checked offline."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.kernel.signer import Signer
from troth.promises.period.building import DAY_MS, report_of
from troth.promises.period.bundle import MEDIA_TYPE, packed
from troth.promises.period.gathering import Sources, gather
from troth.promises.period.report import PeriodReport
from troth.promises.status import Period

LONGEST_DAYS = 400


class PeriodWish(BaseModel):
    """Days in UTC (2026-07-01): from the first one up to, but without, the other. At most 400 days."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: date = Field(alias="from")
    end: date = Field(alias="to")


class PeriodOperations:
    """Reports of periods; one at a time, for a long one takes seconds of a core."""

    def __init__(self, sources: Sources, signer: Signer) -> None:
        self._sources = sources
        self._signer = signer
        self._turn = threading.Lock()

    @operation("period.report", group=Group.AUDIT, request=PeriodWish, route=Route("POST", "/v1/period-reports"))
    def report(self, call: Call, request: PeriodWish) -> Binary:
        """The looks of a period, with what proves them: a ZIP file that anybody checks offline."""
        period = period_of(request.start, request.end)
        content, digest = self.packed(period, call.caller.tenant, epoch_ms(call.at))
        call.note(period=f"{request.start}", until=f"{request.end}", digest=digest)
        return Binary(content, MEDIA_TYPE, f"period-{request.start}-{request.end}.zip")

    def packed(self, period: Period, tenant: str | None, now: int) -> tuple[bytes, str]:
        """The bundle and the digest of its report. Raises as `found`."""
        report, files = self.found(period, tenant)
        told = {"made_at": now, "period": {"start": period.start, "end": period.end}}
        return packed(files, told, self._signer), report.digest

    def found(self, period: Period, tenant: str | None) -> tuple[PeriodReport, dict[str, bytes]]:
        """The report for somebody of that tenant, and its files. Raises `Unavailable` (report-busy), as `gather`."""
        if not self._turn.acquire(blocking=False):
            raise Unavailable("Another report is being made; ask again in some seconds.", code="report-busy")
        try:
            return report_of(gather(self._sources, period, tenant))
        finally:
            self._turn.release()


def period_of(start: date, end: date) -> Period:
    """The period between two midnights, UTC. Raises `Invalid` (bad-period) when it is empty or longer than 400 days."""
    first, last = (int(datetime(one.year, one.month, one.day, tzinfo=UTC).timestamp()) * 1000 for one in (start, end))
    if not 0 < last - first <= LONGEST_DAYS * DAY_MS:
        raise Invalid("A period has 1 to 400 whole days; --to is the day after the last.", code="bad-period")
    return Period(first, last)
