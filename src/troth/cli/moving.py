"""`troth tenant-move`: take a tenant to an installation of another jurisdiction."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.vault.moving.pins import Trusted

_FILE = click.Path(dir_okay=False, path_type=Path)
_GIVEN = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group("tenant-move")
def tenant_move() -> None:
    """Move a tenant to an installation of another jurisdiction.

    At the origin, two operators say whose key counts: 'troth move pin' and 'troth move approve'. At the destination:
    invite, unpack. At the origin: pack, finish, with 'troth offboarding request' between. The server of the side that
    acts must be stopped.
    """


@tenant_move.command()
@click.option("--out", type=_FILE, required=True, help="Where to write the invitation.")
def invite(out: Path) -> None:
    """At the destination: make a key for one move, and sign an invitation."""
    from troth.settings.load import load
    from troth.vault.moving.pins import fingerprint
    from troth.wiring import opened
    from troth.wiring.beside import recorded

    with opened(load(), must_exist=True) as troth:
        base = troth.system.base
        with recorded(base.outbox, base.clock, "tenant.invited"):
            out.write_bytes(troth.arriving().invite())
        signer = troth.system.base.signer
    click.echo(f"Give {out} to the origin. Its operators enter and compare, each over a channel of their own:")
    click.echo(f"  signer       {signer.name}={signer.public_key.hex()}")
    click.echo(f"  fingerprint  {' '.join(re.findall('....', fingerprint(signer.public_key)))}")


@tenant_move.command()
@click.argument("tenant")
@click.option("--invitation", type=_GIVEN, required=True)
@click.option("--bundle", type=_FOLDER, required=True, help="Folder of sealed pieces; goes on where it stopped.")
@click.option("--manifest", type=_FILE, required=True, help="Where to write the manifest.")
def pack(tenant: str, invitation: Path, bundle: Path, manifest: Path) -> None:
    """At the origin: seal everything of a tenant to the destination."""
    from troth.settings.load import load
    from troth.storage.blobs import LocalBlobs
    from troth.wiring import opened

    with opened(load(), must_exist=True) as troth:
        pieces = LocalBlobs(bundle)
        manifest.write_bytes(troth.departure().pack(tenant, invitation.read_bytes(), pieces))
    click.echo(f"Give {bundle} and {manifest} to the destination.")


@tenant_move.command()
@click.option("--manifest", type=_GIVEN, required=True)
@click.option("--signer", required=True, help="The origin's signer, name=hex.")
@click.option("--bundle", type=_FOLDER, required=True)
@click.option("--arrival", type=_FILE, required=True, help="Where to write the proof of arrival.")
def unpack(manifest: Path, signer: str, bundle: Path, arrival: Path) -> None:
    """At the destination: take the tenant in under the keys of this jurisdiction, and prove it. Can be repeated."""
    from troth.settings.load import load
    from troth.storage.blobs import LocalBlobs
    from troth.wiring import opened

    with opened(load(), must_exist=True) as troth:
        pieces = LocalBlobs(bundle)
        arrival.write_bytes(troth.arriving().unpack(manifest.read_bytes(), _signer(signer), pieces))
    click.echo(f"Everything is here and opens. Give {arrival} to the origin, and delete {bundle}: it is noise now.")


@tenant_move.command()
@click.option("--manifest", type=_GIVEN, required=True)
@click.option("--arrival", type=_GIVEN, required=True)
@click.option("--certificate", type=_FILE, required=True, help="Where to write the certificate of the erasure.")
@click.confirmation_option(prompt="This erases the tenant here, in every backup too. Go on?")
def finish(manifest: Path, arrival: Path, certificate: Path) -> None:
    """At the origin: compare what arrived with what is here, then erase the tenant with a certificate."""
    from troth.settings.load import load
    from troth.wiring import opened

    with opened(load(), must_exist=True) as troth:
        side = troth.departure()
        done = side.finish(manifest.read_bytes(), arrival.read_bytes())
        if done.certificate is None:
            click.echo(f"The erasure {done.id} is '{done.state}'; run this again to complete it.")
            return
        certificate.write_bytes(troth.system.vault.erasures.certificate(done.tenant, done.certificate))
    click.echo(f"Erased here; {certificate} proves it.")


def _signer(given: str) -> Trusted:
    from troth.vault.moving.pins import Trusted

    name, _, key = given.rpartition("=")
    try:
        return Trusted(name, bytes.fromhex(key))
    except ValueError as error:
        raise click.BadParameter("give name=hex, as /.well-known/troth.json of the other side says") from error
