"""`troth witness`: cosign the checkpoints of other people's logs, on a machine that is not theirs."""

from __future__ import annotations

import hashlib
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from troth.audit.cosignature import Cosigner
    from troth.audit.note import VerifierKey
    from troth.audit.witness import Witness, WitnessRecords
    from troth.storage.blobs import LocalBlobs

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LOGS, _NAME = "trusted-logs", "name"
_SEEDS = {"ed25519": "ed25519.seed", "ml-dsa-44": "ml-dsa-44.seed"}
_LISTEN = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})\Z")
_MOST = 1 << 20


@click.group()
def witness() -> None:
    """Cosign checkpoints of logs that only grow (C2SP tlog-witness)."""


@witness.command()
@_FOLDER
@click.option("--name", required=True, help="Name of the witness, best a host and path of yours: example.org/witness.")
def init(folder: Path, name: str) -> None:
    """Make a witness in FOLDER: two keys, no logs yet."""
    from troth.kernel.errors import Conflict

    kept = _Folder(folder)
    kept.create(name)
    if kept.name != name:
        raise Conflict("There is a witness of another name in this folder.", code="exists")
    _show_keys(kept)
    click.echo("Keep this folder out of backups: a witness that went back in time may cosign a second history.")


@witness.command("add-log")
@_FOLDER
@click.argument("key")
def add_log(folder: Path, key: str) -> None:
    """Trust a log by its verifier KEY (name+id+key); a running witness takes it up when it is started again."""
    from troth.audit.note import VerifierKey

    added = VerifierKey.parse(key)
    _Folder(folder).trust(added)
    click.echo(f"{added.name} is cosigned from now on.")


@witness.command()
@_FOLDER
@click.option(
    "--listen", default="127.0.0.1:8444", show_default=True, help="Address and port; port 0 takes a free one."
)
@click.option("--certificate", type=_FILE, help="PEM certificate chain; needed to listen beyond this machine.")
@click.option("--private-key", type=_FILE, help="PEM private key that belongs to it.")
def run(folder: Path, listen: str, certificate: Path | None, private_key: Path | None) -> None:
    """Answer POST /add-checkpoint until stopped. Needs the extra `server`."""
    from troth.http import witness as door
    from troth.storage.private import only_ours

    host, port = _address(listen)
    if (certificate is None) != (private_key is None):
        raise click.UsageError("--certificate and --private-key go together.")
    tls = (certificate, private_key) if certificate and private_key else None
    door.require_private(host, tls=tls is not None)
    only_ours()
    app = door.witness_app(_Folder(folder).witness())
    listener = door.listen(host, port)
    place = listener.getsockname()

    def ready() -> None:
        click.echo(f"Witness answers at {'http' if tls is None else 'https'}://{listen.rpartition(':')[0]}:{place[1]}/")
        sys.stdout.flush()

    door.run(app, listener, tls, ready)


@witness.command("log-keys")
def log_keys() -> None:
    """Verifier keys of the two logs of a server that witnesses cosign (TROTH_URL, TROTH_CA); no sign-in needed.

    They are what the server says: compare them with its operator in another way before you add them.
    """
    from troth.audit.note import VerifierKey
    from troth.cli.client import Client

    published = Client.from_environment().call("GET", "/.well-known/troth.json").json()["logs"]
    for log in ("operator", "meta"):
        click.echo(VerifierKey(f"{published['host']}/log/{log}", bytes.fromhex(published["key"])))


@witness.command()
@_FOLDER
def show(folder: Path) -> None:
    """The witness's keys, and what it cosigned last of each log."""
    kept = _Folder(folder)
    _show_keys(kept)
    for origin in sorted(kept.logs()):
        last, _ = kept.records.last(origin)
        click.echo(f"{origin}  size {last.size}  root {last.root.hex()}")
    forks = len(list(kept.store.names("evidence/")))
    if forks:
        click.echo(f"Forks shown to this witness: {forks}; the notes are in {folder / 'state' / 'evidence'}.")


@dataclass(frozen=True)
class _Folder:
    """A witness on disk: `keys/` (0600), and in `state/` the trusted logs and what was cosigned last."""

    path: Path

    @property
    def store(self) -> LocalBlobs:
        from troth.storage.blobs import LocalBlobs

        return LocalBlobs(self.path / "state")

    @property
    def records(self) -> WitnessRecords:
        from troth.audit.witness import WitnessRecords

        return WitnessRecords(self.store)

    @property
    def name(self) -> str:
        """Raises `NotFound` when there is no witness here."""
        from troth.kernel.errors import NotFound

        try:
            return (self.path / _NAME).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise NotFound("There is no witness in this folder; make one with 'troth witness init'.") from error

    def create(self, name: str) -> None:
        """Idempotent. A name stands once its keys do. Raises `Unavailable`, `IntegrityError` for a bad name."""
        import os

        from troth.audit.cosignature import Ed25519Cosigner
        from troth.keys import keyfile
        from troth.storage.blobs import LocalBlobs
        from troth.storage.durable import write_file
        from troth.storage.private import private_folder

        Ed25519Cosigner(name, bytes(32))  # refuses what is no name
        private_folder(self.path)
        keys = keyfile.private_folder(self.path / "keys")
        for file in _SEEDS.values():
            keyfile.create(keys / file, os.urandom(keyfile.KEY_BYTES))
        LocalBlobs(self.path / "state")
        if not (self.path / _NAME).exists():
            write_file(self.path / _NAME, name.encode())

    def cosigners(self) -> list[Cosigner]:
        """Both keys. Raises `Unavailable` when others can read them."""
        from troth.audit.cosignature import Ed25519Cosigner, MlDsa44Cosigner
        from troth.keys import keyfile

        name, keys = self.name, self.path / "keys"
        return [
            Ed25519Cosigner(name, keyfile.read(keys / _SEEDS["ed25519"])),
            MlDsa44Cosigner(name, keyfile.read(keys / _SEEDS["ml-dsa-44"])),
        ]

    def logs(self) -> dict[str, list[VerifierKey]]:
        """Trusted keys by origin."""
        from troth.audit.note import VerifierKey

        found: dict[str, list[VerifierKey]] = {}
        for line in self._trusted().decode().splitlines():
            key = VerifierKey.parse(line)
            found.setdefault(key.name, []).append(key)
        return found

    def trust(self, key: VerifierKey) -> None:
        """The log's record is made first: a trusted log without one would be refused. Raises `Conflict`, `Invalid`."""
        from troth.audit.signature_kinds import COSIGNATURE_ED25519
        from troth.kernel.errors import Conflict, Invalid

        if not self.name or key.kind == COSIGNATURE_ED25519:
            raise Invalid("This is the key of a witness; give the verifier key of a log.", code="bad-key")
        known, content = self.logs(), self._trusted()
        if key in known.get(key.name, []):
            raise Conflict("This witness trusts that key already.", code="exists")
        if key.name not in known:
            with suppress(Conflict):  # left by a run that was cut off
                self.records.begin(key.name)
        before = hashlib.sha256(content).hexdigest() if content else None
        self.store.swap(_LOGS, content + f"{key}\n".encode(), before)

    def witness(self) -> Witness:
        from troth.audit.witness import Witness
        from troth.kernel.clock import SystemClock

        return Witness(self.logs(), self.records, self.cosigners(), SystemClock())

    def _trusted(self) -> bytes:
        from troth.kernel.errors import NotFound

        try:
            return self.store.get(_LOGS, _MOST)
        except NotFound:
            return b""


def _show_keys(kept: _Folder) -> None:
    click.echo("Lines for a policy (name each witness as you like; the URL is where it answers):")
    for kind, cosigner in zip(_SEEDS, kept.cosigners(), strict=True):
        click.echo(f"witness {kind} {cosigner.verifier} <url>")


def _address(listen: str) -> tuple[str, int]:
    found = _LISTEN.match(listen)
    if found is None or int(found["port"]) > 65535:
        raise click.UsageError("--listen takes an address and a port, such as 127.0.0.1:8444 or [::1]:8444.")
    return found["six"] or found["host"], int(found["port"])
