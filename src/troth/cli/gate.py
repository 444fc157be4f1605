"""`troth gate`: whether a release may go out, by its data map and the assessments that were approved."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.governance.data_map.map import DataMap
    from troth.governance.gate import GateFinding, Papers

_FILE = click.Path(dir_okay=False, path_type=Path)
_LARGEST = 128_000  # bytes of a data map
_SHOWN = 40


@click.command()
@click.argument("new", required=False, type=_FILE)
@click.option("--approved", type=_FILE, help="The data map of the last release; without it everything is new.")
@click.option("--assessments", type=_FILE, help="The register dpia, exported as JSON. Default: asked of the server.")
@click.option("--projects", type=_FILE, help="The register projects, exported as JSON. Default: asked of the server.")
@click.option("--digest", "only_digest", is_flag=True, help="Print the digest that an assessment names, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def gate(
    new: Path | None,
    *,
    approved: Path | None,
    assessments: Path | None,
    projects: Path | None,
    only_digest: bool,
    as_json: bool,
) -> None:
    """Exit with 1 when the data map NEW (default: that of this version) has what no approved assessment covers.

    A file given for a register is checked for altered entries only; ask the server when somebody could exchange it.
    """
    from troth.governance.data_map.map import digest
    from troth.governance.gate import additions
    from troth.governance.gate import gate as findings_of

    wanted = _map(new)
    if only_digest:
        click.echo(digest(wanted))
        return
    before = None if approved is None else _map(approved)
    found = findings_of(wanted, before, _papers(assessments, projects))
    if as_json:
        told = [{"code": one.code, "kind": one.kind, "what": one.what, "says": one.says, "record": one.record}
                for one in found]  # fmt: skip
        click.echo(json.dumps({"digest": digest(wanted), "new": len(additions(wanted, before)), "findings": told}))
    else:
        _say(found, len(additions(wanted, before)))
    sys.exit(1 if found else 0)


def _say(found: tuple[GateFinding, ...], new: int) -> None:
    for one in found[:_SHOWN]:
        click.echo(f"{one.code}  {one.kind} {one.what}{f' ({one.record})' if one.record else ''}: {one.says}")
    if len(found) > _SHOWN:
        click.echo(f"and {len(found) - _SHOWN} more")
    click.echo("The release waits." if found else f"The release may go out: {new} new, all assessed.", err=True)


def _map(path: Path | None) -> DataMap:
    from troth.governance.data_map.reading import parse_map, shipped

    return shipped() if path is None else parse_map(_bytes(path, _LARGEST).decode("utf-8", "replace"))


def _papers(assessments: Path | None, projects: Path | None) -> Papers:
    from troth.governance import gate as room
    from troth.governance.exported import LARGEST, records_of
    from troth.governance.forms.reading import shipped
    from troth.governance.looking import Look
    from troth.kernel.clock import SystemClock, epoch_ms

    forms = {name: shipped()[name] for name in (room.ASSESSED, room.PLANNED)}
    given = {room.ASSESSED: assessments, room.PLANNED: projects}
    read = {
        name: records_of(_export(name) if path is None else _bytes(path, LARGEST), forms[name])
        for name, path in given.items()
    }
    return room.Papers(forms, read[room.ASSESSED], read[room.PLANNED], Look(epoch_ms(SystemClock().now())))


def _export(form: str) -> bytes:
    from troth.cli.client import Client

    answer = Client.from_environment().call("GET", f"/v1/register-exports/{form}", {"format": "json"})
    return bytes(answer.content)


def _bytes(path: Path, most: int) -> bytes:
    from troth.kernel.errors import NotFound, TooLarge

    if not path.is_file():  # a pipe would be waited for
        raise NotFound(f"There is no file {path.name}; give the path of one.", code="no-file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise TooLarge(f"{path.name} is longer than such a file may be.", code="export-too-long")
    return content
