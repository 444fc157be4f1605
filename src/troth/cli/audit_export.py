"""`troth audit export`: take the log away, as tiles that anybody can verify, as OCSF events, or as a table."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from troth.cli.audit_browse import filters
from troth.cli.client import Client, Streamed
from troth.kernel.errors import IntegrityError, Invalid


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["tlog", "ocsf", "csv"]),
    default="tlog",
    show_default=True,
    help="tlog: a folder to verify; ocsf: OCSF 1.8.0 events, one a line; csv: a table.",
)
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="From this index on (ocsf, csv).")
@click.option("--last", type=click.IntRange(0), help="Up to this index (ocsf, csv).")
@filters
def export(target: Path, form: str, first: int, last: int | None, **chosen: Any) -> None:
    """Fetch the log of your tenant from a server into TARGET (an operator: the operators' log)."""
    wanted = {name: value for name, value in {**chosen, "last": last}.items() if value is not None}
    if form == "tlog":
        if wanted or first:
            raise Invalid(
                "The whole log is verified as a whole; choose entries with --format ocsf or csv.", code="bad-filter"
            )
        _tiles(target)
        return
    count, said = _lines(target, {**wanted, "first": first, "format": form}, form, whole=set(wanted) <= {"last"})
    click.echo(f"{count} entries of {said} in {target}.")


def _lines(target: Path, asked: dict[str, Any], form: str, *, whole: bool) -> tuple[int, str]:
    if target.exists():
        raise Invalid("The file exists; name a new one.", code="exists")
    partial = target.with_name(f"{target.name}.part")
    with Client.from_environment().streamed("/v1/activity/export", asked) as streamed:
        first, end, expected = (int(streamed.headers[f"x-troth-{name}"]) for name in ("first", "end", "entries"))
        if whole and expected != end - first:
            raise IntegrityError("The server says fewer entries than its log has there.", code="export-incomplete")
        with open(partial, "wb", opener=_private) as file:
            count = _written(file, streamed, expected) - (form == "csv")
    if count != expected:
        partial.unlink()
        raise IntegrityError(f"{count} of {expected} entries came; ask again.", code="export-incomplete")
    partial.rename(target)
    return count, f"indexes {first} to {end - 1}"


def _written(file: Any, streamed: Streamed, expected: int) -> int:
    """How many lines were written."""
    with click.progressbar(length=expected, label="entries", file=sys.stderr) as bar:
        return sum(_moved(file, streamed.pieces, bar))


def _moved(file: Any, pieces: Iterator[bytes], bar: Any) -> Iterator[int]:
    for piece in pieces:
        file.write(piece)
        count = piece.count(b"\n")
        bar.update(count)
        yield count


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _tiles(folder: Path) -> None:
    from troth.audit.export import export_log
    from troth.audit.note import VerifierKey
    from troth.audit.tiles import CHECKPOINT
    from troth.audit.verifier_page import NAME, verifier_page

    client = Client.from_environment()
    with click.progressbar(length=1, label="tiles and bundles", file=sys.stderr) as bar:

        def fetched(path: str) -> bytes:
            content = client.call("GET", f"/v1/log/{path}").content
            if path != CHECKPOINT:
                bar.update(1)
            return content

        checkpoint = export_log(fetched, folder, lambda files: setattr(bar, "length", files))
    (folder / NAME).write_bytes(verifier_page())
    published = client.call("GET", "/.well-known/troth.json").json()["logs"]
    key = VerifierKey(checkpoint.origin, bytes.fromhex(published["key"]))
    click.echo(f"{checkpoint.size} entries of {checkpoint.origin} are in {folder}.")
    click.echo(f"troth audit verify {folder} --key '{key}'")
    click.echo(f"Or open {folder / NAME} in a browser: it needs no network.")
    click.echo("The key is what the server says; take it from a source of your own when it matters.")
