"""`troth promises`: each promise beside its evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from troth.promises.report import PromiseTable

_COLOURS = {"kept": "green", "not kept": "red", "unknown": "yellow", "not configured": "cyan"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
@click.option("--run", "run_now", is_flag=True, help="Run every check now.")
@click.option("--state", type=click.Choice(sorted(_COLOURS)), help="Show only promises in this state.")
def promises(as_json: bool, run_now: bool, state: str | None) -> None:
    """Show each promise beside its evidence.

    Without an installation here, every check runs on a fresh temporary one: that shows what this software does,
    not what a service in use did.
    """
    from troth.kernel.errors import NotFound

    try:
        table, scope = _installed(run_now)
    except NotFound:
        table, scope = _temporary()
    if as_json:
        click.echo(json.dumps({"scope": scope, **table.model_dump()}, indent=2))
    else:
        _print(table, scope, state)


def _installed(run_now: bool) -> tuple[PromiseTable, str]:
    from troth.promises.report import table
    from troth.settings.load import load
    from troth.wiring import opened

    with opened(load(), must_exist=True, sequencing=run_now) as system:
        if run_now:
            system.runner.run_all()
        return table(system.runner.table(), system.runner.checks), "this installation"


def _temporary() -> tuple[PromiseTable, str]:
    from tempfile import TemporaryDirectory

    from troth.promises.report import table
    from troth.settings.load import load
    from troth.wiring import opened

    with TemporaryDirectory(prefix="troth-") as folder:
        settings = load(data={"folder": f"{folder}/data", "keys": f"{folder}/keys"})
        with opened(settings) as system:
            system.runner.run_all()
            return table(system.runner.table(), system.runner.checks), "a fresh temporary installation of this software"


def _print(table: PromiseTable, scope: str, state: str | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console: Console = Console()
    shown = Table("promise", "state", "statement", "why", title=f"Promises, checked on {scope}")
    for row in table.data:
        if state in (None, row.state):
            shown.add_row(row.id, f"[{_COLOURS[row.state]}]{row.state}[/]", row.statement, row.reason)
    console.print(shown)
    console.print("  ".join(f"[{_COLOURS[name]}]{name}: {count}[/]" for name, count in table.counts.items()))
