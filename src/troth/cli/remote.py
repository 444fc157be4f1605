"""Commands made from the operation registry: one declaration, one command. They speak to a server over HTTPS."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from troth.cli.client import Answer, Client
from troth.kernel.errors import Invalid
from troth.kernel.operation import Declaration, declarations

_OWNERS = (
    "troth.audit.operations:AuditOperations",
    "troth.gateway.operations:GatewayOperations",
    "troth.gateway.operations:VendorOperations",
    "troth.identity.operations:IdentityOperations",
    "troth.identity.operators:OperatorOperations",
    "troth.identity.people_operations:PeopleOperations",
    "troth.vault.operations:ConsentOperations",
    "troth.vault.operations:ErasureOperations",
    "troth.vault.operations:ObjectOperations",
)
_SECRET = ("password", "totp", "code", "secret")


def commands() -> dict[tuple[str, ...], tuple[Declaration, str]]:
    """Every declared command with its operation and help line."""
    found: dict[tuple[str, ...], tuple[Declaration, str]] = {}
    for place in _OWNERS:
        module, _, name = place.partition(":")
        owner = getattr(import_module(module), name)
        for attribute, declaration in declarations(owner):
            if declaration.command and declaration.route:
                summary = (getattr(owner, attribute).__doc__ or declaration.name).strip().splitlines()[0]
                found[declaration.command] = (declaration, summary)
    return found


def group(noun: str, text: str) -> click.Group:
    """The commands of one noun."""
    made = click.Group(noun, help=text)
    for path, (declaration, summary) in commands().items():
        if path[0] == noun:
            made.add_command(_command(path[-1], declaration, summary))
    return made


def _command(name: str, declaration: Declaration, summary: str) -> click.Command:
    options: list[click.Parameter] = [_option(field, info) for field, info in declaration.request.model_fields.items()]
    options.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the answer as JSON."))
    options.append(click.Option(["--out"], type=click.Path(dir_okay=False), help="Write the answer to this file."))

    def run(as_json: bool, out: str | None, **values: Any) -> None:
        _show(_send(declaration, values), as_json=as_json, out=out)

    return click.Command(name, params=options, callback=run, help=summary)


def _option(name: str, info: Any) -> click.Option:
    hidden = name in _SECRET
    return click.Option(
        [f"--{name.replace('_', '-')}", name],
        required=info.is_required() and not hidden,
        prompt=info.is_required() and hidden,
        hide_input=hidden,
        help=info.description,
        default=None,
    )


def _send(declaration: Declaration, values: dict[str, Any]) -> Answer:
    route = declaration.route
    assert route is not None
    given = {name: _value(text) for name, text in values.items() if text is not None}
    path = re.sub(r"{(\w+)(:\w+)?}", lambda match: _segment(str(given.pop(match[1]))), route.path)
    return Client.from_environment().call(route.method, path, given)


def _segment(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._@:-]{1,200}", text):
        raise Invalid("An id holds letters, digits, dots, dashes and underscores.", code="bad-id")
    return text


def _value(text: str) -> Any:
    """Lists, objects, numbers and booleans are given as JSON; anything else is text."""
    if re.fullmatch(r"[\[{].*[\]}]|true|false", text, re.DOTALL):
        try:
            return json.loads(text)
        except ValueError:
            raise Invalid("A value that begins with a bracket must be valid JSON.", code="bad-value") from None
    return text


def _show(answer: Answer, *, as_json: bool, out: str | None) -> None:
    if out:
        Path(out).write_bytes(answer.content)
        click.echo(f"{len(answer.content)} bytes written to {out}", err=True)
        return
    if not answer.media_type.endswith("json"):
        sys.stdout.buffer.write(answer.content)
        return
    value = answer.json()
    lists = [member for member in value.values() if isinstance(member, list)] if isinstance(value, dict) else []
    rows = lists[0] if len(lists) == 1 else None
    if as_json or rows is None or not all(isinstance(row, dict) for row in rows):
        click.echo(json.dumps(value, indent=2))
    else:
        _table(rows)


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*(list(rows[0]) if rows else ["nothing here"]))
    for row in rows:
        table.add_row(*(str(cell) if cell is not None else "" for cell in row.values()))
    Console().print(table)
