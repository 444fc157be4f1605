"""`troth promises oscal` and `troth promises pdf`: what this installation shows, for the tools and eyes of others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.promises.oscal.assessed import Assessed


@click.command()
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder; made if needed."
)
def oscal(out: Path) -> None:
    """Write the promises, checks and findings as the eight documents of OSCAL 1.2.3."""
    from troth.promises.oscal.documents import packed

    made = packed(_assessed())
    out.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (out / name).write_bytes(content)
    click.echo(f"{len(made)} documents of OSCAL are in {out}.")


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
def pdf(out: Path) -> None:
    """Write the promises on paper: PDF/A-2a, tagged. Needs the extra 'pdf'."""
    from troth.promises.pdf.printing import pdf
    from troth.promises.pdf.told import told

    assessed = _assessed()
    content = pdf(told(assessed, None), assessed.end)
    out.write_bytes(content)
    click.echo(f"{len(content)} bytes written to {out}.")


def _assessed() -> Assessed:
    """What this installation shows now. Raises `NotFound` without an installation."""
    from troth.kernel.clock import epoch_ms
    from troth.promises.oscal.operations import assessed_now
    from troth.settings.load import load
    from troth.wiring import opened

    settings = load()
    with opened(settings, must_exist=True, sequencing=False) as troth:
        return assessed_now(troth.runner, settings.server.name, epoch_ms(datetime.now(UTC)))
