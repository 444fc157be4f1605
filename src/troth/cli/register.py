"""`troth register`: forms on this machine, which need no server, and the records of a server's registers."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from troth.governance.problems import Problem

_LARGEST = 256_000  # bytes of a form file; the reader has a limit of its own below it


_LARGEST_IMPORT = 6 << 20  # bytes of a file
_LARGEST_FILE = 25 << 20  # bytes of what is kept with a record


_OF_OPERATIONS = ("act", "all", "changes", "detach", "dues", "files", "form", "history", "population", "prepare")


class _Grown(click.Group):
    """Commands that stand here, and those that the operations of registers declare."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_OF_OPERATIONS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from troth.cli.remote import group

        return group("register", "").get_command(ctx, cmd_name)


@click.group(cls=_Grown)
def register() -> None:
    """Registers: what people must do and prove. `forms` and `lint-form` need no server."""


@register.command()
@click.argument("name", metavar="NAME", required=False)
@click.option("--json", "as_json", is_flag=True, help="The list, or the form's head, as JSON.")
def forms(name: str | None, as_json: bool) -> None:
    """List the shipped forms with the promises that each is for; with NAME print that form in YAML."""
    from troth.governance.forms.reading import parse_form, shipped, shipped_text

    if name is not None and not as_json:
        click.echo(shipped_text(name), nl=False)
        return
    chosen = list(shipped().values()) if name is None else [parse_form(shipped_text(name))]
    rows = [
        {"form": one.name, "title": one.title, "promises": list(one.promises), "about": one.about} for one in chosen
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for one in chosen:
        click.echo(f"{one.name:20} {one.title:34} {' '.join(one.promises)}")


@register.command("lint-form")
@click.argument("names", metavar="FORM...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Findings as a JSON list of form, code, where and says.")
def lint_form(names: tuple[str, ...], as_json: bool) -> None:
    """Name everything that is wrong with each FORM, a file in YAML or the name of a shipped one.

    The examples of a form are judged too: its good ones must be in order together, each known-bad one must not be.
    Links and populations may lead to the other FORMs and to shipped ones. Exits with 1 when something is wrong.
    """
    found = [(name, problem) for name, problem in _problems(names)]
    if as_json:
        click.echo(json.dumps([{"form": name, **problem.as_json()} for name, problem in found]))
    for name, problem in [] if as_json else found:
        click.echo(f"{name}: {problem.says} [{problem.code} at {problem.where}]")
    if found:
        raise SystemExit(1)
    if not as_json:
        click.echo(f"{len(names)} of {len(names)} forms are in order, and their examples prove it.")


def _problems(names: tuple[str, ...]) -> list[tuple[str, Problem]]:
    from troth.governance.forms.reading import parse_form, shipped
    from troth.governance.linting import Problem, lint_form, lint_together
    from troth.kernel.errors import Invalid, TooLarge
    from troth.promises.catalogue import catalogue

    found: list[tuple[str, Problem]] = []
    read = {}
    for name in names:
        try:
            form = parse_form(_text(name))
        except (Invalid, TooLarge) as error:
            found.append((name, Problem(error.code, error.field or "form", error.advice)))
            continue
        read[form.name] = form
        found += [(name, one) for one in lint_form(form, catalogue())]
    together = lint_together({**shipped(), **read})
    return found + [(one.where.partition(".")[0], one) for one in together if one.where.partition(".")[0] in read]


def _text(name: str) -> str:
    from troth.governance.forms.reading import shipped_names, shipped_text
    from troth.kernel.errors import Invalid, NotFound, TooLarge

    if name in shipped_names():
        return shipped_text(name)
    try:
        if not Path(name).is_file():  # a pipe would be waited for
            raise NotFound("There is no such file, and no shipped form has that name.", code="register-not-found")
        with Path(name).open("rb") as file:
            raw = file.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise TooLarge("The form is longer than a form may be; shorten it.", code="yaml-too-long")
        return raw.decode()
    except OSError as error:
        raise NotFound(
            "The form cannot be read, and no shipped one has that name.", code="register-not-found"
        ) from error
    except UnicodeDecodeError as error:
        raise Invalid("The form is not UTF-8 text.", code="bad-yaml") from error


@register.command("ls")
@click.argument("form", required=False)
@click.option("--state", help="Only records in this state.")
@click.option("--text", help="Only records with this in one of their texts.")
@click.option("--after", help="The page after this record.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def ls(form: str | None, as_json: bool, **wanted: str | None) -> None:
    """List the registers of your tenant, or the records of FORM, newest first."""
    given = {name: one for name, one in wanted.items() if one is not None}
    _ask("GET", "/v1/registers" if form is None else f"/v1/registers/{_name(form)}", given, as_json=as_json)


@register.command("show")
@click.argument("form")
@click.argument("record")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def show_one(form: str, record: str, as_json: bool) -> None:
    """Show a RECORD of the register FORM: values, your moves, what is due, and why it is not in order."""
    _ask("GET", f"/v1/registers/{_name(form)}/{_name(record)}", as_json=as_json)


@register.command("open")
@click.argument("form")
@click.argument("values", metavar="FIELD=VALUE...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def open_one(form: str, values: tuple[str, ...], as_json: bool) -> None:
    """Open a record of the register FORM. Entries of a list stand behind each other: `layers='a; b'`."""
    _ask("POST", f"/v1/registers/{_name(form)}", {"values": _values(values)}, as_json=as_json)


@register.command()
@click.argument("form")
@click.argument("record")
@click.argument("move")
@click.argument("values", metavar="FIELD=VALUE...", nargs=-1)
@click.option("--seen", type=int, help="The sequence that you looked at; refused when the record went on.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def move(form: str, record: str, move: str, *, values: tuple[str, ...], seen: int | None, as_json: bool) -> None:
    """Make a MOVE of a RECORD, such as `approve`, with the values that it needs."""
    body = {"values": _values(values)} | ({} if seen is None else {"seen": seen})
    _ask("POST", f"/v1/registers/{_name(form)}/{_name(record)}/moves/{_name(move)}", body, as_json=as_json)


@register.command()
@click.argument("form")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json", "zip"]),
    default="csv",
    help="A table, or with histories, or with these and all files.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
def export(form: str, kind: str, out: Path | None) -> None:
    """Write the register FORM out: as a table, or as JSON with the history and salts of each record."""
    from troth.cli.client import Client

    answer = Client.from_environment().call("GET", f"/v1/register-exports/{_name(form)}", {"format": kind})
    _save(answer.content, out)


@register.command()
@click.argument("form")
@click.argument("record")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--about", help="The field that names whom the file is about.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def attach(form: str, record: str, file: Path, *, about: str | None, as_json: bool) -> None:
    """Keep FILE with a RECORD of the register FORM: text, table, JSON, picture or plain PDF, at most 25 MB."""
    from troth.cli.client import Client
    from troth.kernel.errors import TooLarge

    if file.stat().st_size > _LARGEST_FILE:
        raise TooLarge("A file of a record has at most 25 MB.", code="content-too-large")
    path = f"/v1/registers/{_name(form)}/{_name(record)}/files"
    given = {} if about is None else {"about": about}
    answer = Client.from_environment().upload(path, "file", file.read_bytes(), called=file.name, fields=given).json()
    _print(answer, as_json=as_json)


@register.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def propose(file: Path, *, as_json: bool) -> None:
    """Propose the form in FILE as a register of your tenant; somebody else approves it (`move register-forms`)."""
    from troth.governance.forms.reading import parse_form

    text = _text(str(file))
    values = {"name": parse_form(text).name, "text": text}
    _ask("POST", "/v1/registers/register-forms", {"values": values}, as_json=as_json)


@register.command("file")
@click.argument("form")
@click.argument("record")
@click.argument("object_id", metavar="FILE")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
def file_(form: str, record: str, object_id: str, out: Path | None) -> None:
    """Open a FILE of a RECORD; `files` lists their ids."""
    from troth.cli.client import Client

    path = f"/v1/registers/{_name(form)}/{_name(record)}/files/{_name(object_id)}"
    _save(Client.from_environment().call("GET", path).content, out)


@register.command("import")
@click.argument("form")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", is_flag=True, help="Write; without it the rows are only tried.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def take_in(form: str, file: Path, apply: bool, as_json: bool) -> None:
    """Try, or with --apply enter, the rows of FILE (.csv, .yaml or .json) in the register FORM: all or none.

    Exits with 1 when a row is refused.
    """
    body = {"rows": _rows(file), "apply": apply}
    answer = _ask("POST", f"/v1/register-imports/{_name(form)}", body, as_json=as_json)
    if answer["problems"]:
        raise SystemExit(1)
    if not apply:
        click.echo("Nothing was written; --apply writes.", err=True)


def _ask(method: str, path: str, values: dict[str, Any] | None = None, *, as_json: bool) -> Any:
    from troth.cli.client import Client

    answer = Client.from_environment().call(method, path, values).json()
    _print(answer, as_json=as_json)
    return answer


def _print(answer: Any, *, as_json: bool) -> None:
    from troth.cli.showing import show

    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        show(answer)


def _save(content: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)
        click.echo(f"{len(content)} bytes written to {out}", err=True)


def _name(text: str) -> str:
    from troth.kernel.errors import Invalid

    if not text.replace("-", "").replace("_", "").isalnum() or not text.isascii() or len(text) > 64:
        raise Invalid("A name of a register, record or move holds letters, digits, - and _.", code="bad-id")
    return text


def _values(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign:
            raise click.BadParameter(f"{name} has no value; write it as FIELD=VALUE.")
        found[name] = value
    return found


def _rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a file. Raises Invalid(bad-import), TooLarge(import-too-long)."""
    from troth.governance.messages import MOST_ROWS
    from troth.kernel.errors import Invalid, TooLarge
    from troth.settings import strict_yaml

    if file.stat().st_size > _LARGEST_IMPORT:
        raise TooLarge("The file is longer than one import may be; split it.", code="import-too-long")
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".csv":
            return [dict(row) for row in csv.DictReader(text.splitlines(keepends=True), strict=True)]
        limits = strict_yaml.Limits(characters=_LARGEST_IMPORT, nodes=MOST_ROWS * 40, depth=6)
        rows = json.loads(text) if file.suffix == ".json" else strict_yaml.load(text, limits, what="import")
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise Invalid("The file cannot be read as UTF-8 text of its kind.", code="bad-import") from error
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise Invalid("The file is no list of records; each has its fields by name.", code="bad-import")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """Days as the texts that they were written as."""
    return value.isoformat() if hasattr(value, "isoformat") else value
