"""`troth audit bundle` and `verify-bundle`: evidence in one file, made with a server, checked without any."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from troth.cli.audit_verify import content_of, tell, trust_of, trusting, unchecked

if TYPE_CHECKING:
    from troth.cli.client import Client
    from troth.vault.evidence_bundle import Evidence

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MAX_BUNDLE = 1 << 30  # bytes, all members together; they are held in memory
_README = """Evidence of {origin}, made {at}.

Check it without a network, and without trusting who gave it to you:
  troth audit verify-bundle FILE --key KEY       the command line
  verifier.html                                  in a browser; drop this file on it

KEY is the log's verifier key. Take it, and the verifier, from a source of your own; keys.json is what the
server says of itself. A policy of witnesses (--policy) shows that others saw the same log.
"""


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--certificate", "certificates", type=_FILE, multiple=True, help="An erasure certificate to put in.")
def bundle(target: Path, certificates: tuple[Path, ...]) -> None:
    """Fetch the log, a proof, keys and the signed promise table into TARGET, a ZIP file that anybody can check."""
    from troth.cli.client import Client
    from troth.kernel.errors import Conflict

    if target.exists():
        raise Conflict("The file exists; name a new one.", code="exists")
    client = Client.from_environment()
    files = _collected(client, certificates)
    files |= {"evidence.json": _signed(client, files)}
    partial = target.with_name(f"{target.name}.part")
    with open(partial, "wb", opener=_private) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed:
        for name, content in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(name), content)  # stored, so that the page reads it without a library
    partial.rename(target)
    click.echo(f"{len(files)} files are in {target}. Check them with: troth audit verify-bundle {target} --key KEY")


@click.command("verify-bundle")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@trusting
@click.option("--trusted", type=_FILE, help="A checkpoint that you kept; the log must contain it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify_bundle(file: Path, *, key: str | None, policy: Path | None, trusted: Path | None, as_json: bool) -> None:
    """Check every byte of an evidence bundle, a ZIP file or its unpacked folder, offline."""
    from troth.vault import evidence_bundle

    kept = None if trusted is None else content_of(trusted)
    found = evidence_bundle.verify_bundle(_unpacked(file), trust_of(key, policy), trusted=kept)
    if as_json:
        log = {**asdict(found.log), "root": found.log.root.hex()}
        told = {"promises": found.told["promises"]["counts"], "made_at": found.told["made_at"]}
        click.echo(json.dumps({"log": log, **told, "items": found.items, "unchecked": unchecked(found.log)}))
        return
    _shown(found)


def _shown(found: Evidence) -> None:
    from troth.cli.showing import readable

    counts = ", ".join(f"{count} {state}" for state, count in found.told["promises"]["counts"].items())
    click.echo(f"The bundle holds, as signed {readable('time', found.told['made_at'])}. Promises: {counts}.")
    for one in found.items:
        click.echo(f"{one}: holds.")
    tell(found.log)


def _collected(client: Client, certificates: tuple[Path, ...]) -> dict[str, bytes]:
    """Everything but the statement over it. Raises `IntegrityError` for a certificate that is not of this server."""
    from troth.audit.checkpoint import Checkpoint
    from troth.audit.export import export_log
    from troth.audit.note import VerifierKey, parse_note
    from troth.audit.verifier_page import NAME, verifier_page
    from troth.audit.verify import Trust
    from troth.vault.evidence_bundle import check_certificates

    # The proof first: the log grows by being read, and must contain the checkpoint of the proof.
    newest = Checkpoint.parse(parse_note(client.call("GET", "/v1/log/checkpoint").content).text).size - 1
    proven = client.call("GET", f"/v1/activity/{newest}/proof").json()
    with tempfile.TemporaryDirectory(prefix="troth-bundle-") as scratch:
        folder = Path(scratch) / "log"
        checkpoint = export_log(lambda path: client.call("GET", f"/v1/log/{path}").content, folder)
        files = {f"log/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    readme = _README.format(origin=checkpoint.origin, at=_today())
    keys = client.call("GET", "/.well-known/troth.json")
    papers = {f"certificates/{number}.json": content_of(path) for number, path in enumerate(certificates, 1)}
    check_certificates(papers, Trust(VerifierKey(checkpoint.origin, bytes.fromhex(keys.json()["logs"]["key"]))))
    return files | {
        f"proofs/{newest}.tlog-proof": proven["proof"].encode(),
        f"proofs/{newest}.json": proven["leaf"].encode(),
        "keys.json": keys.content,
        "README.txt": readme.encode(),
        NAME: verifier_page(),
        **papers,
    }


def _signed(client: Client, files: dict[str, bytes]) -> bytes:
    from troth.vault.evidence_bundle import is_subject

    items = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if is_subject(name)}
    return client.call("POST", "/v1/evidence", {"items": items}).content


def _unpacked(file: Path) -> dict[str, bytes]:
    """The files of a bundle. Raises `IntegrityError` naming the member that cannot be read."""
    from troth.kernel.errors import IntegrityError, TooLarge

    if file.is_dir():
        found = [path for path in file.rglob("*") if path.is_file()]
        if sum(path.stat().st_size for path in found) > _MAX_BUNDLE:
            raise TooLarge("The bundle is larger than one gibibyte.", code="document-too-large")
        return {str(path.relative_to(file)): path.read_bytes() for path in found}
    files: dict[str, bytes] = {}
    name = "The bundle"
    try:
        with zipfile.ZipFile(file) as packed:
            members = packed.infolist()
            if sum(one.file_size for one in members) > _MAX_BUNDLE:
                raise TooLarge("The bundle is larger than one gibibyte.", code="document-too-large")
            for one in members:
                name = one.filename
                if name in files or one.compress_type != zipfile.ZIP_STORED:
                    raise IntegrityError(f"{name}: it stands in the bundle twice, or packed.", code="evidence-shape")
                files[name] = packed.read(one)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError) as error:  # OSError: an offset before 0
        raise IntegrityError(f"{name}: it cannot be read as it was written.", code="evidence-shape") from error
    return files


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%d")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
