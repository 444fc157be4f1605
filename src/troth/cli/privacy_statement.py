"""`troth privacy-statement`: what people are told of their data: show, compare, grade any text, publish."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from troth.governance.statement.generate import Statement

_SIGNS = {"added": "green", "dropped": "red", "changed": "yellow"}
_OUT = "out of date"
_APART = {"unsaid": "facts not said", "untrue": "facts not true any more", "reworded": "parts said otherwise today"}
_MOST = 1 << 20  # bytes of a text that is graded


class _Grown(click.Group):
    """Commands that stand here, and those that the operations declare."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), "approve", "fetch", "publish"})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from troth.cli.remote import group

        return group("privacy-statement", "").get_command(ctx, cmd_name)


@click.group(cls=_Grown)
def privacy_statement() -> None:
    """What people are told of their data, made of the data map; publish, approve and fetch ask a server."""


@privacy_statement.command()
@click.option("--server", is_flag=True, help="The statement of a server. Default: of this version, without vendors.")
@click.option("--number", type=int, help="A version of the server. Default: the one in force.")
@click.option("--facts", is_flag=True, help="Also print the facts of the data map that each sentence says.")
def show(server: bool, number: int | None, facts: bool) -> None:
    """Print the statement section by section, with the grade of each."""
    state = "made of the map of this version"
    if server or number is not None:
        state, told = _of_server(number)
    else:
        from troth.governance.data_map.reading import shipped
        from troth.governance.statement.generate import statement as made

        told = made(shipped())
    for one in told.sections:
        click.echo(f"\n{click.style(one.title, bold=True)}  {click.style(f'grade {one.grade:g}', dim=True)}")
        for each in one.sentences:
            click.echo(f"  {each.text}")
            for fact in each.facts if facts else ():
                click.echo(f"      {click.style(fact, dim=True)}")
    click.echo(f"\n{len(told.sections)} sections, {state}")


@privacy_statement.command()
@click.argument("old", type=int)
@click.argument("new", type=int, required=False)
@click.option("--json", "as_json", is_flag=True, help="Differences as JSON.")
def diff(old: int, new: int | None, as_json: bool) -> None:
    """Say what version NEW of a server says otherwise than OLD, sentence by sentence. Default: the one in force."""
    from dataclasses import asdict

    from troth.governance.statement.comparing import differences

    found = differences(_of_server(old)[1], _of_server(new)[1])
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    for one in found:
        click.echo(f"{click.style(one.kind, fg=_SIGNS[one.kind], bold=True)}  {one.title}")
        for sign, texts in (("-", one.before), ("+", one.after)):
            for text in texts:
                click.echo(f"    {sign} {text}")
    if not found:
        click.echo("Both say the same.")


@privacy_statement.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--limit", type=float, default=8.0, show_default=True, help="Exit with 1 above this grade.")
def grade(file: Path, limit: float) -> None:
    """Print the Flesch-Kincaid grade of an English text (`-`: standard input)."""
    from troth.governance.statement.readability import count, syllables

    text = _text(file)
    found = count(text)
    click.echo(f"grade {found.grade:.1f}, {found.words} words, {found.sentences} sentences")
    if found.grade <= limit:
        return
    long = sorted({word.strip(".,;:()").lower() for word in text.split()}, key=lambda word: (-syllables(word), word))
    click.echo(f"above {limit:g}. Longest words: {', '.join(long[:8])}", err=True)
    raise SystemExit(1)


def _of_server(number: int | None) -> tuple[str, Statement]:
    from troth.cli.client import Client
    from troth.governance.statement.publishing import read

    wish: dict[str, Any] = {} if number is None else {"number": number}
    answer = Client.from_environment().call("GET", "/v1/privacy-statement", wish).json()
    apart = [f"{len(answer[name])} {word}" for name, word in _APART.items() if answer["state"] == _OUT and answer[name]]
    state = ": ".join([answer["state"], ", ".join(apart)]) if apart else answer["state"]
    return f"{state}, version {answer['number']}", read(json.dumps(answer["sections"]))


def _text(file: Path) -> str:
    from troth.kernel.errors import Invalid, TooLarge

    raw = sys.stdin.buffer.read(_MOST + 1) if str(file) == "-" else _bytes(file)
    if len(raw) > _MOST:
        raise TooLarge("A text of at most a megabyte is graded.", code="too-large")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Invalid("The text is not UTF-8.", code="not-utf8") from error


def _bytes(file: Path) -> bytes:
    from troth.kernel.errors import NotFound

    try:
        with file.open("rb") as opened:
            return opened.read(_MOST + 1)
    except OSError as error:
        raise NotFound("The file cannot be read; check its name.", code="no-file") from error
