"""`troth adopt`: mark places that do not say where they lie."""

from __future__ import annotations

import click


@click.command()
def adopt() -> None:
    """Mark this installation's places with its jurisdiction, after looking at everything in them.

    Needed when a marker was lost, or a store was restored without one. The server must be stopped.
    """
    from troth.settings.load import load
    from troth.wiring.adoption import adopt as adopt_places

    settings = load()
    marked = adopt_places(settings)
    for name in marked:
        click.echo(f"marked as '{settings.data.jurisdiction}': {name}")
    if not marked:
        click.echo("Every place says where it lies; nothing was changed.")
