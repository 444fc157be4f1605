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
from troth.cli.options import given, option
from troth.cli.showing import show
from troth.kernel.errors import Invalid
from troth.kernel.operation import Declaration, declarations

_OWNERS = (
    "troth.audit.operations:AuditOperations",
    "troth.gateway.operations:GatewayOperations",
    "troth.gateway.operations:VendorOperations",
    "troth.identity.operations:IdentityOperations",
    "troth.identity.operators:OperatorOperations",
    "troth.identity.people_operations:PeopleOperations",
    "troth.identity.rectification:RectificationOperations",
    "troth.vault.inventory_operations:PlacementOperations",
    "troth.vault.erasure_operations:ErasureOperations",
    "troth.vault.erasure_operations:OffboardingOperations",
    "troth.vault.holding_operations:HoldOperations",
    "troth.vault.holding_operations:ProcessingOperations",
    "troth.vault.holding_operations:RestrictionOperations",
    "troth.vault.holding_operations:RetentionOperations",
    "troth.keys.domain_operations:KeyDomainOperations",
    "troth.keys.operations:KeyOperations",
    "troth.vault.operations:ConsentOperations",
    "troth.vault.operations:ObjectOperations",
    "troth.vault.rights.officer_operations:OfficerOperations",
    "troth.vault.rights.operations:RequestOperations",
    "troth.vault.rights.operations:StandingOperations",
)
# What cannot be taken back, and what to say before it.
_DESTRUCTIVE: dict[tuple[str, ...], str] = {
    ("erasure", "approve"): "With your approval this erases everything it names, in every backup too.",
    ("erasure", "own"): "This erases everything about you, in every backup too, and cannot be taken back.",
    ("erasure", "period"): "This erases what everybody of your tenant has of that class and time, in every backup too.",
    ("erasure", "request"): "This erases everything about this person, in every backup too, and cannot be taken back.",
    ("file", "delete"): "This erases the file and everything derived from it, and cannot be taken back.",
    ("offboarding", "approve"): "With your approval this erases the whole tenant, in every backup too.",
    ("offboarding", "request"): "This asks to erase a whole tenant, in every backup too.",
    ("keys", "compromise"): "This replaces exposed keys and destroys them; without a tenant every page is re-keyed.",
    ("keys", "retire"): "This takes the key domain out of use for good; a name that was given up is not used again.",
    ("object", "delete"): "This erases the object and everything derived from it, and cannot be taken back.",
    ("user", "disable"): "This shuts the person out at once and ends their sessions and API keys.",
    ("vendor", "suspend"): "This stops every further call to the vendor.",
}
# Answers with a fresh token, and where it goes.
_TOKENS: dict[tuple[str, ...], str] = {
    ("account", "password"): "TROTH_SESSION",
    ("key", "create"): "TROTH_API_KEY",
    ("session", "create"): "TROTH_SESSION",
    ("session", "step-up"): "TROTH_SESSION",
    ("totp", "confirm"): "TROTH_SESSION",
}


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
    fields = declaration.request.model_fields
    options: list[click.Parameter] = [option(field, info, list(fields)) for field, info in fields.items()]
    options.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the answer as JSON."))
    options.append(click.Option(["--out"], type=click.Path(dir_okay=False), help="Write the answer to this file."))
    path = declaration.command or ()
    if warning := _DESTRUCTIVE.get(path):
        options.append(click.Option(["--yes"], is_flag=True, help="Do not ask for confirmation."))

    def run(as_json: bool, out: str | None, yes: bool = False, **values: Any) -> None:
        if warning and not yes and not click.confirm(f"{warning} Go on?", err=True):
            raise click.ClickException("Nothing was done.")
        _show(_send(declaration, values), as_json=as_json, out=out)
        if path in _TOKENS:
            click.echo(f"set {_TOKENS[path]} to this token", err=True)

    return click.Command(name, params=options, callback=run, help=summary)


def _send(declaration: Declaration, values: dict[str, Any]) -> Answer:
    route = declaration.route
    assert route is not None
    body = given(values)
    path = re.sub(r"{(\w+)(:\w+)?}", lambda match: _segment(str(body.pop(match[1]))), route.path)
    return Client.from_environment().call(route.method, path, body)


def _segment(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._@:-]{1,200}", text):
        raise Invalid("An id holds letters, digits, dots, dashes and underscores.", code="bad-id")
    return text


def _show(answer: Answer, *, as_json: bool, out: str | None) -> None:
    if out:
        Path(out).write_bytes(answer.content)
        click.echo(f"{len(answer.content)} bytes written to {out}", err=True)
    elif answer.media_type != "application/json":
        sys.stdout.buffer.write(answer.content)  # a document, to be kept byte by byte
    elif as_json:
        click.echo(json.dumps(answer.json(), indent=2))
    else:
        show(answer.json())
