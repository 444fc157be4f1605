"""`troth audit replay`: mend the logs of a database that was restored from an older backup."""

from __future__ import annotations

import click


@click.command()
def replay() -> None:
    """Bring the logs of a restored database up to what was signed, from their mirrors. The server must be stopped.

    Needed when the database itself was put back from a backup of its own, outside 'troth backup restore'.
    """
    from troth.settings.load import load
    from troth.wiring.log_places import replayed

    done = replayed(load())
    for one in done:
        again = f"; {one.waiting} without a signature wait for a place again" if one.waiting else ""
        click.echo(f"{one.log}: {one.before} entries before, {one.after} now{again}")
    click.echo("Every log is what was signed last." if done else "No log is behind; nothing was changed.")
