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
