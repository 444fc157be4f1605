"""`troth device`: the key of this machine, made here and never sent, and its certificates of one hour."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli.remote import group

if TYPE_CHECKING:
    from troth.identity.certificates.requesting import PrivateKey

_TEXT = "Devices with certificates: this machine, yours, and those of your tenant."
_KEY, _CERTIFICATE = "key.pem", "certificate.pem"
_LARGEST = 1 << 14  # bytes of either file

device = group("device", _TEXT)
_folder = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="TROTH_DEVICE",
    default=lambda: Path(click.get_app_dir("troth")) / "device",
    help="Where the key and the certificate of this machine lie (TROTH_DEVICE).",
)


@click.command()
@click.option("--name", default="this machine", show_default=True, help="How you call the device.")
@click.option("--service", help="Id of a service account: certify its key instead of enrolling a device of yours.")
@_folder
def enrol(name: str, service: str | None, folder: Path) -> None:
    """Make a key here and get its first certificate; prove your session anew first when it is not fresh."""
    from troth.cli.client import Client
    from troth.identity.certificates.issuing import fresh_key
    from troth.identity.certificates.requesting import private_pem, request_by
    from troth.kernel.errors import Conflict, TrothError
    from troth.keys import keyfile

    key = fresh_key()
    path = keyfile.private_folder(folder) / _KEY
    if not keyfile.create(path, private_pem(key)):
        raise Conflict("This folder has a key already; renew it, or give another --folder.", code="device-key-exists")
    wish = {"request": request_by(key)} if service else {"request": request_by(key), "name": name}
    place = f"/v1/services/{service}/certificate" if service else "/v1/devices"
    try:
        done = Client.from_environment().call("POST", place, wish).json()
    except TrothError:
        keyfile.destroy(path)
        raise
    _keep(folder, done)


@click.command()
@_folder
def renew(folder: Path) -> None:
    """Get the next certificate by this machine's key; it needs no session."""
    from troth.cli.client import Client
    from troth.identity.certificates.proving import renewal_name
    from troth.identity.certificates.requesting import request_by

    holder = _holder(folder)
    place = "/v1/services/renewal" if holder.startswith("svc_") else "/v1/devices/renewal"
    request = request_by(_own_key(folder), renewal_name(holder, int(time.time() * 1000)))
    _keep(folder, Client.from_environment().call("POST", place, {"request": request}).json())


def _own_key(folder: Path) -> PrivateKey:
    from troth.identity.certificates.requesting import private_key
    from troth.kernel.errors import Unavailable

    content = _read(folder / _KEY)
    if stat.S_IMODE((folder / _KEY).stat().st_mode) & 0o077:
        raise Unavailable("The device's key is open to other users; set its mode to 0600.", code="key-file-open")
    return private_key(content)


def _holder(folder: Path) -> str:
    from troth.identity.certificates.reading import read_shown

    return read_shown(_read(folder / _CERTIFICATE).decode("ascii", "replace")).name.id


def _read(path: Path) -> bytes:
    from troth.kernel.errors import NotFound

    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except FileNotFoundError as error:
        raise NotFound("This machine is not enrolled in that folder; enrol it.", code="device-not-enrolled") from error


def _keep(folder: Path, done: dict[str, Any]) -> None:
    """The certificate in the place of the last one, whole or not at all."""
    from troth.kernel.clock import iso

    fresh = folder / f"{_CERTIFICATE}.new"
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(str(done["certificate"]))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / _CERTIFICATE)
    click.echo(f"{done['holder']} has a certificate until {iso(int(done['ends_at']))}")


device.add_command(enrol)
device.add_command(renew)
