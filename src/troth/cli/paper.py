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


class _Grown(click.Group):
    """Commands that stand here, and those that the operations of papers declare."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), "approve", "changes", "fetch", "list"})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from troth.cli.remote import group

        return group("paper", "").get_command(ctx, cmd_name)


@click.group(cls=_Grown)
def paper() -> None:
    """Look at a published paper as sentences with promises; publish, approve, list, fetch and changes ask a server.

    FILE is the text, with NAME.paper.yaml beside it; or the name of a paper that Troth ships: zian, dzine, harbour.
    """


@paper.command()
@click.argument("file", type=_PAPER)
@_states
@click.option("--server", is_flag=True, help="Ask a server (operators): by its states and its certificates on record.")
@click.option("--notes/--no-notes", default=True, help="Also say what is no fault. Default: yes.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON: code, severity, place, quote, what to do.")
def lint(file: Path, states_path: Path | None, server: bool, notes: bool, as_json: bool) -> None:
    """Name every sentence of FILE that is unbound, changed, contradicted or badly worded; exits with 1 when one is."""
    from troth.promises.paper.lint import failed
    from troth.promises.paper.lint import lint as findings_of

    read = _paper(file)
    found = _of_server(file, read) if server else findings_of(read, _known(read, states_path))
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


@paper.command()
@click.argument("file", type=_PAPER)
@click.option("--reason", required=True, help="Why: a coarse reason such as checked, rule or contract.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def publish(file: Path, reason: str, as_json: bool) -> None:
    """Propose FILE as the paper of a server (operators); another operator approves it."""
    from troth.cli.client import Client
    from troth.cli.showing import show as shown

    answer = Client.from_environment().call("POST", "/v1/papers", _files(file) | {"reason": reason}).json()
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    shown(answer)
    click.echo(
        f"next: another operator runs: troth paper approve --number {answer['number']} --reason checked", err=True
    )


def _of_server(file: Path, read: Paper) -> tuple[Finding, ...]:
    """What a server finds in it, its sentences those of the file here."""
    from troth.cli.client import Client
    from troth.promises.paper.lint import Finding

    placed = {(one.line, one.ordinal): one for one in read.sentences}
    answer = Client.from_environment().call("POST", "/v1/paper-findings", _files(file)).json()
    return tuple(
        Finding(one["code"], one["says"], one["do"], placed.get((one["line"], one["sentence"])), one["severity"])
        for one in answer["findings"]
    )


def _files(file: Path) -> dict[str, str]:
    """The files of a paper as a server takes them. Raises as `read_paper`, and Invalid for what is not UTF-8."""
    from troth.kernel.errors import Invalid
    from troth.promises.paper.binding import SUFFIX, binding_path, limited, read_paper
    from troth.promises.paper.shipped import SHIPPED, shipped_file

    ours = str(file) in SHIPPED and not file.exists()
    bound = _paper(file).binding if ours else read_paper(file).binding
    target = binding_path(file)
    read = shipped_file if ours else lambda name: limited(target.with_name(name))
    named = {"text": bound.text.file, "binding": f"{file}{SUFFIX}" if ours else target.name, "promises": bound.promises}
    try:
        return {what: read(name).decode() for what, name in named.items() if name}
    except UnicodeDecodeError as error:
        raise Invalid("A file of the paper is not UTF-8; save it as UTF-8.", code="bad-paper") from error


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
