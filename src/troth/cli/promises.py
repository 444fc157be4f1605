"""`troth promises`: each promise beside its evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from troth.cli.period import report
from troth.cli.promise_papers import oscal, pdf

if TYPE_CHECKING:
    from rich.console import Console

    from troth.promises.report import PromiseTable
    from troth.promises.showing import PromiseShown

_COLOURS = {
    "kept": "green",
    "kept with exception": "magenta",
    "not kept": "red",
    "unknown": "yellow",
    "not configured": "cyan",
}
# A try says what the software can do; only an installation in use keeps a promise.
_TRIED = {"kept": "passes", "not kept": "fails"}
_HERE, _NOWHERE = "this installation", "no installation: nothing was looked at"
_TRIAL = "self-test of this software"


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
@click.option("--run", "run_now", is_flag=True, help="Run every check now.")
@click.option("--try", "trial", is_flag=True, help="Run every check on a fresh temporary installation.")
@click.option("--state", type=click.Choice(sorted(_COLOURS)), help="Show only promises in this state.")
@click.pass_context
def promises(context: click.Context, as_json: bool, run_now: bool, trial: bool, state: str | None) -> None:
    """Show each promise beside its evidence.

    Without an installation here nothing is kept: there is none that could keep it. With --try every check runs on a
    fresh temporary one: that shows what this software does, not what a service in use did.
    """
    from troth.kernel.errors import Invalid, NotFound

    if context.invoked_subcommand is not None:
        return
    if trial and run_now:
        raise Invalid("Give --run for this installation or --try for a temporary one, not both.", code="bad-options")
    try:
        table, scope = _temporary() if trial else _installed(run_now)
    except NotFound:
        if run_now:
            raise
        table, scope = _none()
    if as_json:
        click.echo(json.dumps({"scope": scope, **table.model_dump()}, indent=2))
    else:
        _print(table, scope, state)


promises.add_command(report)
promises.add_command(oscal)
promises.add_command(pdf)


@promises.command()
@click.argument("promise")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(promise: str, as_json: bool) -> None:
    """Show one promise: its state, its last twelve months, how it is checked, and its last runs."""
    from troth.settings.load import load
    from troth.wiring import opened
    from troth.wiring.checks import shown_promise

    with opened(load(), must_exist=True, sequencing=False) as system:
        shown = shown_promise(system.runner, system.past, promise)
    if as_json:
        click.echo(shown.model_dump_json(indent=2))
    else:
        _print_one(shown)


def _print_one(shown: PromiseShown) -> None:
    from rich.console import Console
    from rich.table import Table

    from troth.kernel.clock import iso

    console: Console = Console()
    console.print(f"{shown.id}  [{_COLOURS[shown.state]}]{shown.state}[/]  {shown.reason}\n{shown.statement}")
    for one in shown.waivers:
        console.print(f"excused until {iso(one.ends)} ({one.check}): {one.reason}; instead: {one.compensating}")
    months = Table("month", "state", "days", title="Twelve months")
    for month in shown.months:
        days = ", ".join(f"{state} {count}" for state, count in month.days.items())
        months.add_row(month.month, f"[{_COLOURS[month.state]}]{month.state}[/]", days)
    console.print(months)
    checks = Table("check", "covers", "counts", "every", "looks at", title="How it is checked")
    for check in shown.checks:
        checks.add_row(check.check, check.scope, check.population, f"{check.every} s", check.looks_at)
    console.print(checks)
    runs = Table("run", "at", "result", "control", "tested", "record", title="Last runs")
    for run in shown.recent:
        said = f"{run.result} ({run.flaw})" if run.flaw else run.result
        tested = f"{run.tested} of {run.population}"
        runs.add_row(f"{run.check}#{run.sequence}", iso(run.at), said, run.control, tested, run.record)
    console.print(runs)


def _installed(run_now: bool) -> tuple[PromiseTable, str]:
    from troth.promises.report import table
    from troth.settings.load import load
    from troth.wiring import opened

    with opened(load(), must_exist=True, sequencing=run_now) as system:
        if run_now:
            system.runner.run_all()
        return table(system.runner.table(), system.runner.checks), _HERE


def _none() -> tuple[PromiseTable, str]:
    from troth.promises.catalogue import catalogue
    from troth.promises.report import table
    from troth.promises.status import Standing, State

    nothing = Standing(State.UNKNOWN, (), "there is no installation here that could keep it")
    return table([(one, nothing) for one in catalogue().values()], ()), _NOWHERE


def _temporary() -> tuple[PromiseTable, str]:
    from tempfile import TemporaryDirectory

    from troth.promises.report import table
    from troth.settings.load import load
    from troth.wiring import opened

    with TemporaryDirectory(prefix="troth-") as folder:
        settings = load(data={"folder": f"{folder}/data", "keys": f"{folder}/keys"})
        with opened(settings) as system:
            system.runner.run_all()
            return table(system.runner.table(), system.runner.checks), _TRIAL


def _print(table: PromiseTable, scope: str, state: str | None) -> None:
    from rich.console import Console
    from rich.table import Table

    console: Console = Console()
    says = _TRIED if scope == _TRIAL else {}
    shown = Table("promise", "state", "statement", "why", title=f"Promises: {scope}")
    for row in table.data:
        if state in (None, row.state):
            said = says.get(row.state, row.state)
            shown.add_row(row.id, f"[{_COLOURS[row.state]}]{said}[/]", row.statement, row.reason)
    console.print(shown)
    counts = table.counts.items()
    console.print("  ".join(f"[{_COLOURS[name]}]{says.get(name, name)}: {count}[/]" for name, count in counts))
    if scope == _NOWHERE:
        console.print("To see what this software does, run its checks on a temporary one: troth promises --try")
