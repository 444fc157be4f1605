"""`troth redact register` and `lineage`: which data trained which model, signed, checked without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from troth.cli.redact_keys import public_key

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_KEY = "Ed25519 public key of the data sets, 64 hex digits in a file."


@click.command()
@click.argument("model")
@click.option("--file", "files", multiple=True, required=True, type=_FILE, help="A file of the model; may be repeated.")
@click.option("--dataset", "sets", multiple=True, required=True, type=_FOLDER, help="A data set; may be repeated.")
@click.option("--read", multiple=True, required=True, help="Root digest that the training read; may be repeated.")
@click.option("--public-key", "key", required=True, type=_FILE, help=_KEY)
@click.option("--signing-key", required=True, type=_FILE, help="Ed25519 key in PEM that signs the statement.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the statement goes.")
def register(model: str, *, key: Path, signing_key: Path, out: Path, **given: tuple[Any, ...]) -> None:
    """Sign that MODEL was trained on these data sets and no others; an unknown digest is refused."""
    from troth.cli.redact_keys import signing_key as load_signing_key
    from troth.redact.files import write_atomically
    from troth.redact.lineage import register as made
    from troth.redact.manifest import LocalSigner

    signer = LocalSigner(load_signing_key(signing_key))
    write_atomically(
        out, made(model, given["files"], given["sets"], read=given["read"], key=public_key(key), signer=signer)
    )
    click.echo(f"{model}: {len(given['sets'])} data sets; the statement holds under {signer.public_key.hex()}")


@click.command()
@click.argument("statement", type=_FILE)
@click.option("--public-key", "key", required=True, type=_FILE, help=_KEY)
@click.option("--file", "files", multiple=True, type=_FILE, help="Compare a file of the model.")
@click.option("--dataset", "sets", multiple=True, type=_FOLDER, help="Compare a data set.")
@click.option("--json", "as_json", is_flag=True, help="Print the statement's content as JSON.")
def lineage(statement: Path, key: Path, files: tuple[Path, ...], sets: tuple[Path, ...], as_json: bool) -> None:
    """List the data sets that a model was trained on, and check the STATEMENT offline."""
    from troth.redact.lineage import read_lineage, require_same

    found = read_lineage(statement.read_bytes(), public_key(key))
    require_same(found, files, sets, public_key(key))
    if as_json:
        facts = {"model": found.model, "files": dict(found.files), "datasets": [dict(one) for one in found.datasets]}
        click.echo(json.dumps(facts))
        return
    click.echo(f"{found.model}: the signature holds; {len(found.files)} files, {len(found.datasets)} data sets")
    for one in found.datasets:
        click.echo(f"  {one['dataset']}  root {one['root']}  manifest {one['manifest']}")
