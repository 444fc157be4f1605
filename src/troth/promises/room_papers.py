"""What an auditor takes out of a room: the report of its period, told of the promises of the room alone, or whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from troth import __version__
from troth.kernel.operation import Binary
from troth.promises.catalogue import catalogue
from troth.promises.oscal import documents
from troth.promises.oscal.assessed import of_period
from troth.promises.pdf.printing import pdf
from troth.promises.pdf.told import told
from troth.promises.period.bundle import MEDIA_TYPE, zipped
from troth.promises.period.operations import PeriodOperations
from troth.promises.period.report import PeriodReport
from troth.promises.runner import Runner
from troth.promises.status import Period

_PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class RoomPapers:
    """Implements `governance.room.evidence.Papers`. `origin` names the installation."""

    periods: PeriodOperations
    runner: Callable[[], Runner]
    origin: str

    def made(
        self, paper: str, span: tuple[int, int], promises: Collection[str], *, tenant: str, at: int
    ) -> tuple[Binary, str]:
        """The file and its SHA-256 in hex. Raises Conflict(period-open), Unavailable(report-busy, extra-missing)."""
        period = Period(*span)
        name = f"period-{_day(period.start)}-{_day(period.end)}"
        if paper == "bundle":
            content, kind, name = self.periods.packed(period, tenant, at)[0], MEDIA_TYPE, f"{name}.zip"
        else:
            content, kind, name = self._narrow(paper, period, promises, tenant, name)
        return Binary(content, kind, name), hashlib.sha256(content).hexdigest()

    def _narrow(
        self, paper: str, period: Period, promises: Collection[str], tenant: str, name: str
    ) -> tuple[bytes, str, str]:
        report = narrowed(self.periods.found(period, tenant)[0], promises)
        shown = {one.check for one in report.checks}
        checks = [one for one in self.runner().checks if one.id in shown]
        wanted = [one for key, one in catalogue().items() if key in promises]
        what = of_period(report, checks, wanted, origin=self.origin, system=__version__)
        what = replace(what, checks=tuple(replace(one, promises=_of(one.promises, promises)) for one in what.checks))
        if paper == "pdf":
            return pdf(told(what, report), period.end), _PDF, f"{name}.pdf"
        return zipped(documents.packed(what)), MEDIA_TYPE, f"{name}-oscal.zip"


def narrowed(report: PeriodReport, promises: Collection[str]) -> PeriodReport:
    """The same report of these promises, and of the checks that look at them, alone."""
    inside = frozenset(promises)
    checks = tuple(
        replace(one, promises=_of(one.promises, inside)) for one in report.checks if inside & set(one.promises)
    )
    names = {one.check for one in checks}
    return replace(
        report,
        checks=checks,
        promises=tuple(one for one in report.promises if one.promise in inside),
        changes=tuple(one for one in report.changes if one.check in names),
        waivers=tuple(one for one in report.waivers if one.promise in inside),
        events=0,
        parts={},
    )


def _of(names: Collection[str], inside: Collection[str]) -> tuple[str, ...]:
    return tuple(one for one in names if one in inside)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")
