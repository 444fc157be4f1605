"""`troth audit`: check a transparency log or a proof on this machine, without a server and without its code."""

from __future__ import annotations

import json
from pathlib import Path

import click

from troth.audit.verify import verify_log, verify_proof

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Check a transparency log offline."""


@audit.command()
@click.argument("folder", type=_FOLDER)
@click.option("--key", required=True, help="The log's verifier key: name+id+key.")
@click.option("--trusted", type=_FILE, help="A checkpoint that you kept; the log must contain it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(folder: Path, key: str, trusted: Path | None, as_json: bool) -> None:
    """Read and hash every entry of the log in FOLDER (tlog-tiles layout) up to its signed checkpoint."""
    known = None if trusted is None else trusted.read_bytes()
    audited = verify_log(folder, key, trusted=known)
    if as_json:
        click.echo(json.dumps({"origin": audited.origin, "size": audited.size, "root": audited.root.hex()}))
        return
    click.echo(f"{audited.origin}: all {audited.size} entries stand as they were signed.")
    if trusted is None:
        click.echo("Keep its checkpoint for --trusted next time: it shows whether the log was cut or rewritten.")


@audit.command("verify-proof")
@click.argument("proof", type=_FILE)
@click.option("--leaf", required=True, type=_FILE, help="The entry, byte for byte.")
@click.option("--key", required=True, help="The log's verifier key: name+id+key.")
def verify_one(proof: Path, leaf: Path, key: str) -> None:
    """Check a .tlog-proof file for one entry."""
    index = verify_proof(proof.read_text(encoding="utf-8"), leaf.read_bytes(), key)
    click.echo(f"The entry stands in the log at index {index}.")


@audit.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """Fetch the log of your tenant from a server into FOLDER (an operator: the operators' log)."""
    from troth.audit.export import export_log
    from troth.cli.client import Client

    client = Client.from_environment()
    checkpoint = export_log(lambda path: client.call("GET", f"/v1/log/{path}").content, folder)
    published = client.call("GET", "/.well-known/troth.json").json()["logs"]
    click.echo(f"{checkpoint.size} entries of {checkpoint.origin} are in {folder}.")
    click.echo(f"troth audit verify {folder} --key '{_key(published, checkpoint.origin)}'")
    click.echo("The key is what the server says; take it from a source of your own when it matters.")


def _key(published: dict[str, str], origin: str) -> str:
    from troth.audit.note import VerifierKey

    return str(VerifierKey(origin, bytes.fromhex(published["key"])))
