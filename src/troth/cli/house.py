"""`troth house`: which tenant of a server is the house, whose registers count for its promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click


@click.group()
def house() -> None:
    """The tenant whose registers count for the promises (operators only)."""


@house.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def show(as_json: bool) -> None:
    """Show which tenant is the house."""
    _ask("GET", "/v1/house", {}, as_json=as_json)


def _deciding(command: Callable[..., None]) -> click.Command:
    """A command about a tenant, with why."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON."),
        click.option("--reason", required=True, help="Why: a coarse reason such as checked, rule or contract."),
        click.argument("tenant"),
    ):
        command = option(command)
    return house.command()(command)


@_deciding
def name(tenant: str, reason: str, as_json: bool) -> None:
    """Make TENANT the house, whose registers alone count for the promises. After the first another operator approves.

    Naming the present house again takes back what waits.
    """
    _ask("POST", f"/v1/house/{_id(tenant)}", {"reason": reason}, as_json=as_json)


@_deciding
def approve(tenant: str, reason: str, as_json: bool) -> None:
    """Agree that TENANT, which another operator named, is the house from now on. Older exceptions excuse nothing."""
    _ask("POST", f"/v1/house/{_id(tenant)}/approval", {"reason": reason}, as_json=as_json)


def _id(tenant: str) -> str:
    from troth.kernel.errors import Invalid

    if not (tenant.isascii() and tenant.replace("_", "").isalnum() and len(tenant) <= 64):
        raise Invalid("The id of a tenant begins with ten_; list the tenants to see their ids.", code="bad-id")
    return tenant


def _ask(method: str, path: str, values: dict[str, Any], *, as_json: bool) -> None:
    from troth.cli.client import Client
    from troth.cli.showing import show as shown

    answer = Client.from_environment().call(method, path, values).json()
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        shown(answer)
