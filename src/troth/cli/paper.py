"""`troth paper`: a published text as input. Lint it, show it, compare two versions, and begin its binding file."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from troth.promises.paper.binding import Paper
    from troth.promises.paper.lint import Finding, Known

_PAPER = click.Path(path_type=Path)
_COLOURS = {"error": "red", "note": "cyan", "dropped": "red", "weakened": "red", "added": "green",
            "strengthened": "green", "reworded": "yellow"}  # fmt: skip
_STATES = {
    "kept": "green",
    "kept with exception": "magenta",
    "not kept": "red",
    "unknown": "yellow",
    "not configured": "cyan",
}
_MOST_STATES = 4 << 20  # bytes of a promise table
_states = click.option(
    "--states",
    "states_path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What `troth promises --json` printed: sentences whose promise is not kept are named too.",
)


@click.group()
def paper() -> None:
    """Look at a published paper as sentences with promises.

    FILE is the text, with NAME.paper.yaml beside it; or the name of a paper that Troth ships: zian, dzine, harbour.
    """


@paper.command()
@click.argument("file", type=_PAPER)
@_states
@click.option("--notes/--no-notes", default=True, help="Also say what is no fault. Default: yes.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON: code, severity, place, quote, what to do.")
def lint(file: Path, states_path: Path | None, notes: bool, as_json: bool) -> None:
    """Name every sentence of FILE that is unbound, changed, contradicted or badly worded; exits with 1 when one is."""
    from troth.promises.paper.lint import failed
    from troth.promises.paper.lint import lint as findings_of

    read = _paper(file)
    found = findings_of(read, _known(read, states_path))
    shown = [one for one in found if notes or one.severity == "error"]
    if as_json:
        counts = {"sentences": len(read.sentences), "findings": [one.as_json() for one in shown]}
        click.echo(json.dumps({"paper": read.name, "version": read.binding.version} | counts, indent=2))
    else:
        _print_findings(read, shown)
    if failed(found):
        raise SystemExit(1)


@paper.command()
@click.argument("file", type=_PAPER)
@_states
@click.option("--promise", metavar="ID", help="Only the sentences that carry this promise.")
@click.option("--json", "as_json", is_flag=True, help="Sentences as JSON.")
def show(file: Path, states_path: Path | None, promise: str | None, as_json: bool) -> None:
    """Print FILE sentence by sentence, with the promises that each carries."""
    read = _paper(file)
    states = _states_of(states_path)
    rows = [row for row in _rows(read) if promise is None or promise in row["carries"]]
    if as_json:
        click.echo(json.dumps({"paper": read.name, "version": read.binding.version, "sentences": rows}, indent=2))
        return
    width = max((len(row["at"]) for row in rows), default=0)
    for row in rows:
        click.echo(f"{click.style(row['at'].rjust(width), dim=True)}  {row['text']}")
        told = " ".join(_coloured(one, states.get(one)) for one in row["carries"])
        click.echo(f"{' ' * width}  {told or click.style(row['because'] or 'unbound', dim=True)}")
    carried = {one for row in rows for one in row["carries"]}
    bound = sum(bool(row["carries"]) for row in rows)
    click.echo(f"\n{read.name} {read.binding.version}: {len(rows)} sentences, {bound} carry {len(carried)} promises")


@paper.command()
@click.argument("old", type=_PAPER)
@click.argument("new", type=_PAPER)
@click.option("--gate", is_flag=True, help="Exit with 1 when a promise is dropped or weakened.")
@click.option("--json", "as_json", is_flag=True, help="Changes as JSON.")
def diff(old: Path, new: Path, gate: bool, as_json: bool) -> None:
    """Say, promise by promise, what NEW changes: added, dropped, weakened, strengthened, reworded."""
    from dataclasses import asdict

    from troth.promises.paper.changes import changed, weakens
    from troth.promises.paper.parameters import parameters

    found = changed(_paper(old), _paper(new), parameters())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    for one in () if as_json else found:
        click.echo(f"{click.style(one.kind, fg=_COLOURS[one.kind], bold=True)}  {one.promise}  {one.says}")
        for sign, texts in (("-", one.before), ("+", one.after)):
            for text in texts if one.before != one.after else ():
                click.echo(f"    {sign} {text}")
    if not as_json:
        click.echo(_counted(Counter(one.kind for one in found)) or "No promise changes.")
    if gate and weakens(found):
        raise SystemExit(1)


@paper.command()
@click.argument("file", type=_PAPER)
@click.option("--name", help="What the paper is called, for a first binding file. Default: from the file's name.")
def bind(file: Path, name: str | None) -> None:
    """Write or refresh the binding file of FILE: one row for each sentence, and no promise guessed.

    What stands keeps its promises; new sentences and changed ones are for you to bind. Comments of your own in the
    file are lost.
    """
    from troth.promises.paper.beginning import written
    from troth.promises.paper.binding import binding_path

    target = binding_path(file)
    made = written(file, name)
    click.echo(f"{target.name}: {made.sentences} sentences, {made.changed} changed, {made.unbound} to be bound by you")
    click.echo(f"next: {'name their promises in it, then ' if made.unbound else ''}troth paper lint {file}")


def _paper(file: Path) -> Paper:
    """A paper of this machine, or one that comes with Troth when no file has that name."""
    from troth.promises.paper.binding import read_paper
    from troth.promises.paper.shipped import SHIPPED, shipped

    return shipped(str(file)) if str(file) in SHIPPED and not file.exists() else read_paper(file)


def _known(read: Paper, states_path: Path | None) -> Known:
    from datetime import UTC, datetime

    from troth.promises.catalogue import catalogue
    from troth.promises.paper.lint import Known
    from troth.promises.paper.parameters import parameters

    today = datetime.now(UTC).date()
    return Known(catalogue(), parameters(), _checks(read), today, _states_of(states_path))


def _checks(read: Paper) -> Collection[str]:
    """Ids of all checks. They bring the whole server along, so they are loaded for own promises alone."""
    if not read.own:
        return ()
    if sys.stderr.isatty():
        click.echo("looking for the checks that its own promises name ...", err=True)
    from troth.promises.checks import all_checks

    return {check.id for check in all_checks()}


def _states_of(path: Path | None) -> Mapping[str, str]:
    """Promise to state, from a table that was saved. Raises Invalid."""
    from troth.kernel.errors import Invalid

    if path is None:
        return {}
    try:
        with path.open("rb") as opened:
            content = opened.read(_MOST_STATES)
        return {str(row["id"]): str(row["state"]) for row in json.loads(content)["data"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        says = "The file of states is not what `troth promises --json` prints; make it anew."
        raise Invalid(says, code="bad-states") from error


def _rows(read: Paper) -> Iterable[dict[str, Any]]:
    from troth.promises.paper.matching import matched

    for pair in matched(read).pairs:
        bound = pair.bound if pair.how != "changed" else None
        yield {
            "at": pair.sentence.at,
            "text": pair.sentence.text,
            "sha256": pair.sentence.sha256,
            "carries": list(bound.carries) if bound else [],
            "because": bound.because if bound else None,
        }


def _print_findings(read: Paper, found: list[Finding]) -> None:
    place = None
    for one in found:
        if one.where != place:
            place = one.where
            click.echo(click.style(place, bold=True) + (f'  "{one.sentence.text}"' if one.sentence else ""))
        click.echo(f"  {click.style(one.code, fg=_COLOURS[one.severity])}  {one.says}")
        click.echo(f"    -> {one.do}")
    severities = Counter(one.severity for one in found)
    codes = _counted(Counter(one.code for one in found if one.severity == "error"))
    faults = f"{_number(severities['error'], 'finding')}{f' ({codes})' if codes else ''}"
    told = f"{_number(len(read.sentences), 'sentence')}, {faults}, {_number(severities['note'], 'note')}"
    click.echo(f"{read.name} {read.binding.version}: {told}")


def _number(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _coloured(promise: str, state: str | None) -> str:
    return f"{promise} {click.style(state, fg=_STATES.get(state))}" if state else click.style(promise, fg="blue")
