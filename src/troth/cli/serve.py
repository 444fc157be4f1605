"""`troth init` and `troth serve`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.cli.installation import Installation
    from troth.identity.bootstrap import OperatorCredentials
    from troth.keys.domains import Domain

_DEFAULT_OPERATOR = "operator@localhost.test"


@click.command()
@click.option("--email", default=_DEFAULT_OPERATOR, show_default=True, help="E-mail address of the first operator.")
def init(email: str) -> None:
    """Make the data folder, the keys and the first operator."""
    from troth.cli.installation import install, operator
    from troth.settings.load import load

    installation = install(load())
    installation.troth.start()
    try:
        made = operator(installation, email)
    finally:
        installation.troth.stop()
    if made is None:
        click.echo("There is an operator already; nothing was changed.")
    else:
        _show(made)


@click.command()
@click.option("--email", default=_DEFAULT_OPERATOR, show_default=True, help="First operator, when there is none yet.")
@click.option(
    "--show-credentials", is_flag=True, help="Print the first operator's credentials into a pipe or file too."
)
def serve(email: str, show_credentials: bool) -> None:
    """Run the API, the portal and the trust page until stopped.

    On a terminal, the first start makes the first operator and shows the credentials once.
    """
    import gc

    from troth.http.allocator import few_arenas

    few_arenas()
    gc.disable()  # imports leave no garbage, and looking for some meanwhile costs a fifth of the start
    try:
        from troth.cli.installation import install, open_door
        from troth.kernel.journal import Journal
        from troth.settings.load import load
        from troth.telemetry.routing import uncaught_into

        uncaught_into(Journal())  # also of threads that begin before the door is open, or outlive it
        settings = load()
        installation = install(settings)
    finally:
        gc.freeze()  # what is there by now stays: no later round looks at it
        gc.enable()

    def ready(address: str) -> None:
        _first_operator(installation, email, shown=show_credentials or sys.stdout.isatty())
        click.echo(f"Troth answers at {address}")
        click.echo(f"  portal and promises  {address}/")
        click.echo(f"  OpenAI-compatible    {address}/v1")
        door = installation.troth.system.door.listener
        if door and door.mtls_port:
            click.echo(f"  with certificates    https://{door.name}:{door.mtls_port}")
        click.echo(f"  data                 {settings.data.folder}")
        click.echo(f"  keys                 {settings.data.keys}")
        if settings.data.database_single_role:
            click.echo("  tenants              kept apart by queries only: one database role owns and uses the tables")
        away = installation.troth.system.base.tree.absent
        for domain in installation.troth.system.base.domains:
            click.echo(f"  key domain           {_worth(domain, away=domain.name in away)}")
        click.echo(f"  witnesses            {_witnesses(installation)}")
        authority = installation.troth.system.door.listener
        if authority and authority.authority:
            click.echo(f"  certificate authority for clients  {authority.authority}")
        sys.stdout.flush()

    open_door(installation, settings, ready)


def _witnesses(installation: Installation) -> str:
    witnessing = installation.troth.system.base.sequencer.witnessing
    if witnessing is None:
        return "none: nobody outside remembers the log (TROTH_AUDIT__WITNESS_POLICY)"
    states = witnessing.state()
    lacking = [one.log for one in states if not one.met]
    return f"{len(states[0].witnesses)}" + (f"; no quorum yet for {', '.join(lacking)}" if lacking else "")


def _worth(domain: Domain, *, away: bool) -> str:
    """A key domain's name, interface and assurance class; one that is away says why."""
    from troth.kernel.errors import TrothError

    try:
        if away:
            domain.root.present()
        assurance = domain.root.assurance
    except TrothError as error:
        assurance = f"unknown, {error.advice}"
    return f"{domain.name} ({domain.root.kind}, assurance {assurance})"


def _first_operator(installation: Installation, email: str, *, shown: bool) -> None:
    """Make and show the first operator; where the output is kept, in a journal say, only tell how to."""
    from troth.cli.installation import operator

    if not shown:
        if installation.troth.system.identity.bootstrap.needed():
            click.echo(
                "There is no operator yet: stop this server, run 'troth init' in a terminal, and start it again."
            )
        return
    made = operator(installation, email)
    if made is not None:
        _show(made)


def _show(made: OperatorCredentials) -> None:
    click.echo("The first operator, shown this once:")
    click.echo(f"  e-mail          {made.email}")
    click.echo(f"  password        {made.password}")
    click.echo(f"  TOTP secret     {made.totp_secret}")
    click.echo(f"  TOTP address    {made.totp_uri}")
    click.echo(f"  recovery codes  {' '.join(made.recovery_codes)}")
