"""`troth data-map`: what is kept of people, why and for how long, and the record of processing made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.governance.data_map.map import DataMap


class _Grown(click.Group):
    """Commands that stand here, and those that the operations declare."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), "fetch"})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from troth.cli.remote import group

        return group("data-map", "").get_command(ctx, cmd_name)


@click.group("data-map", cls=_Grown)
def data_map() -> None:
    """What is kept of people, why and for how long; fetch asks a server."""


_SERVER = click.option("--server", is_flag=True, help="The map of a server, with its vendors and its own days.")
_OWN = click.option("--own", type=click.Path(path_type=Path, dir_okay=False),
                    help="A file with activities of your own, which is also looked through.")  # fmt: skip


@data_map.command()
@_SERVER
@_OWN
@click.option("--tables", is_flag=True, help="Also print tables with their personal columns, and stores.")
def show(server: bool, own: Path | None, tables: bool) -> None:
    """Print each activity with its purpose, basis, retention and recipients."""
    from troth.governance.statement.article30 import rows

    found = _map(server, own)
    for row, one in zip(rows(found), found.activities, strict=True):
        click.echo(f"\n{click.style(str(row['title']), bold=True)}  {click.style(one.id, dim=True)}")
        for name in ("purpose", "basis", "subjects", "categories", "recipients", "regions", "retention", "suppliers"):
            said = row[name]
            if said:
                click.echo(f"  {name:<11} {'; '.join(said) if isinstance(said, list) else said}")
        for name, table in one.tables.items() if tables else ():
            held = ", ".join([*(f"{column} ({how})" for column, how in table.columns.items()),
                              *(f"{column} (stays)" for column in table.stays)])  # fmt: skip
            click.echo(f"  {click.style(name, fg='cyan')}  {held}")
        if tables and one.stores:
            click.echo(f"  {click.style('stores', fg='cyan')}  {', '.join(one.stores)}")
    click.echo(f"\n{len(found.activities)} activities, {len(found.tables)} tables, {len(found.exempt.tables)} exempt")


@data_map.command()
@_SERVER
@_OWN
@click.option("--format", "form", type=click.Choice(["csv", "json", "html", "dpia"]), default="csv", show_default=True,
              help="dpia: the description that an assessment begins with.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: standard output.")
def export(server: bool, own: Path | None, form: str, output: Path | None) -> None:
    """Write the record of processing activities (GDPR Art. 30)."""
    from troth.governance.statement import article30

    made = {"csv": article30.as_csv, "json": article30.as_json, "html": article30.as_html, "dpia": article30.described}
    text = made[form](_map(server, own))
    if output is None:
        click.echo(text, nl=False)
        return
    from troth.kernel.errors import Unavailable

    try:
        output.write_bytes(text.encode())
    except OSError as error:
        raise Unavailable("The file cannot be written; check its folder.", code="cannot-write") from error


def _map(server: bool, own: Path | None) -> DataMap:
    from troth.governance.data_map.own import map_of
    from troth.governance.data_map.reading import parse_map

    if not server:
        return map_of(own)
    from troth.cli.client import Client

    answer = Client.from_environment().call("GET", "/v1/data-map", {}).json()
    return parse_map(json.dumps(answer["map"]))
