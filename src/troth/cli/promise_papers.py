"""`troth promises oscal` and `troth promises pdf`: what this installation shows, for the tools and eyes of others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.promises.oscal.assessed import Assessed
    from troth.promises.period.report import PeriodReport

_DAY = click.DateTime(["%Y-%m-%d"])
_FROM = click.option("--from", "first", type=_DAY, help="First day of a period, UTC; without it, this moment.")
_TO = click.option("--to", "last", type=_DAY, help="The day after the last one of the period.")


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder; made if needed."
)
@_FROM
@_TO
def oscal(out: Path, first: datetime | None, last: datetime | None) -> None:
    """Write the promises, checks and findings as the eight documents of OSCAL 1.2.3."""
    from troth.promises.oscal.documents import packed

    told, _ = _assessed(first, last)
    made = packed(told)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (out / name).write_bytes(content)
    click.echo(f"{len(made)} documents of OSCAL are in {out}.")


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@_FROM
@_TO
def pdf(out: Path, first: datetime | None, last: datetime | None) -> None:
    """Write the promises on paper: PDF/A-2a, tagged. Needs the extra 'pdf'."""
    from troth.promises.pdf.printing import pdf
    from troth.promises.pdf.told import told

    assessed, report = _assessed(first, last)
    content = pdf(told(assessed, report), assessed.end)
    out.write_bytes(content)
    click.echo(f"{len(content)} bytes written to {out}.")


def _assessed(first: datetime | None, last: datetime | None) -> tuple[Assessed, PeriodReport | None]:
    """What this installation shows of a period, or now. Raises `NotFound` without an installation, `Invalid`."""
    from troth.kernel.clock import epoch_ms
    from troth.kernel.errors import Invalid
    from troth.promises.oscal.operations import assessed_now
    from troth.settings.load import load
    from troth.wiring import opened

    if (first is None) != (last is None):
        raise Invalid("Give --from and --to together, or neither.", code="bad-options")
    settings = load()
    with opened(settings, must_exist=True, sequencing=False) as troth:
        if first is None or last is None:
            now = epoch_ms(datetime.now(UTC))
            return assessed_now(troth.runner, settings.server.name, now), None
        raise Invalid("Periods come with the period report.", code="bad-options")
