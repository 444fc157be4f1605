"""`troth promises oscal` and `troth promises pdf`: what this installation shows, for the tools and eyes of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from troth.promises.oscal.assessed import Assessed
    from troth.promises.period.report import PeriodReport
    from troth.promises.status import Period

_DAY = click.DateTime(["%Y-%m-%d"])


def _of_period(command: Callable[..., None]) -> Callable[..., None]:
    """The days of a period; without them the command tells of this moment."""
    last = click.option("--to", "end", type=_DAY, help="The day after the last one, UTC.")
    return click.option("--from", "start", type=_DAY, help="The first day of a period, UTC; none: now.")(last(command))


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder; made if needed."
)
@_of_period
def oscal(out: Path, start: datetime | None, end: datetime | None) -> None:
    """Write the promises, checks and findings, of now or of a period, as the eight documents of OSCAL 1.2.3."""
    from troth.promises.oscal.documents import packed

    made = packed(_assessed(start, end)[0])
    out.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (out / name).write_bytes(content)
    click.echo(f"{len(made)} documents of OSCAL are in {out}.")


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@_of_period
def pdf(out: Path, start: datetime | None, end: datetime | None) -> None:
    """Write the promises, of now or of a period, on paper: PDF/A-2a, tagged. Needs the extra 'pdf'."""
    from troth.promises.pdf.printing import pdf
    from troth.promises.pdf.told import told

    assessed, report = _assessed(start, end)
    content = pdf(told(assessed, report), assessed.end)
    out.write_bytes(content)
    click.echo(f"{len(content)} bytes written to {out}.")


def _assessed(start: datetime | None, end: datetime | None) -> tuple[Assessed, PeriodReport | None]:
    """What this installation shows now, or showed in a period, with its report.

    Raises `NotFound` without an installation, `Invalid` (bad-period), `Conflict` (period-open) before the tally of the
    last day, `IntegrityError` (period-broken).
    """
    from troth.kernel.clock import epoch_ms
    from troth.kernel.errors import Invalid
    from troth.promises.oscal.operations import assessed_now
    from troth.promises.period.operations import period_of
    from troth.settings.load import load
    from troth.wiring import opened

    if (start is None) != (end is None):
        raise Invalid("Give --from and --to, or none of them.", code="bad-period")
    period = None if start is None or end is None else period_of(start.date(), end.date())
    settings = load()
    with opened(settings, must_exist=True, sequencing=False) as troth:
        if period is None:
            return assessed_now(troth.runner, settings.server.name, epoch_ms(datetime.now(UTC))), None
        return _over(troth, period)


def _over(troth: Any, period: Period) -> tuple[Assessed, PeriodReport]:
    from troth import __version__
    from troth.promises.catalogue import catalogue
    from troth.promises.oscal.assessed import of_period
    from troth.promises.period.building import report_of
    from troth.promises.period.gathering import gather
    from troth.wiring.period import period_sources

    base, runner = troth.system.base, troth.runner
    report, _ = report_of(gather(period_sources(base, runner, troth.system.governance.house), period))
    shown = {one.check for one in report.checks}
    checks = [one for one in runner.checks if one.id in shown]
    origin, promises = base.settings.server.name, tuple(catalogue().values())
    return of_period(report, checks, promises, origin=origin, system=__version__), report
