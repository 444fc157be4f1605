"""`troth provenance verify FILE`: asks a server whether a file comes from it."""

from __future__ import annotations

from pathlib import Path

import click

MAX_BYTES = 32 << 20


@click.group()
def provenance() -> None:
    """Where pictures come from."""


@provenance.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Say what the content credentials and the watermark of FILE tell; the server keeps nothing of it."""
    from troth.cli.client import Client
    from troth.cli.showing import show
    from troth.kernel.errors import TooLarge

    if file.stat().st_size > MAX_BYTES:
        raise TooLarge("The file has over 32 MB; send a smaller copy.", code="body-too-large")
    answer = Client.from_environment().upload("/v1/provenance/verify", "file", file.read_bytes())
    show(answer.json())


@provenance.command()
def renew() -> None:
    """Give content credentials a new key and certificate under the same root; run on the machine, then start again."""
    from troth.settings.load import load
    from troth.wiring.provenance import renew as renewed

    renewed(load())
    click.echo("The new certificate is used from the next start.")
