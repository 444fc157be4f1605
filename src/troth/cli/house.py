"""`troth house`: which tenant of a server is the house, whose registers count for its promises."""

from __future__ import annotations

import json
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


@house.command()
@click.argument("tenant")
@click.option("--reason", required=True, help="Why: a coarse reason such as checked, rule or contract.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def name(tenant: str, reason: str, as_json: bool) -> None:
    """Make TENANT the house: its registers alone count for the promises from now on."""
    from troth.kernel.errors import Invalid

    if not (tenant.isascii() and tenant.replace("_", "").isalnum() and len(tenant) <= 64):
        raise Invalid("The id of a tenant begins with ten_; list the tenants to see their ids.", code="bad-id")
    _ask("POST", f"/v1/house/{tenant}", {"reason": reason}, as_json=as_json)


def _ask(method: str, path: str, values: dict[str, Any], *, as_json: bool) -> None:
    from troth.cli.client import Client
    from troth.cli.showing import show as shown

    answer = Client.from_environment().call(method, path, values).json()
    if as_json:
        click.echo(json.dumps(answer, indent=2))
    else:
        shown(answer)
