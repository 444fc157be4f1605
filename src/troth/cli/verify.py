"""`troth verify`: certificates, manifests, audit proofs and period reports, offline, with the document and a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.cli import period

if TYPE_CHECKING:
    from troth.vault.certificate import Certificate

_MAX_DOCUMENT = 1 << 20  # bytes


@click.command()
@click.argument("document", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--site",
    "--trust",
    "site",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Public keys, as served at /.well-known/troth.json. Get it from a source you trust, not from the sender.",
)
@click.option(
    "--public-key",
    help="Instead of --site: the operator's Ed25519 public key, 64 hex digits, or a file that holds them.",
)
@click.option("--salt", help="From the person's own copy: shows that a certificate is about them (with --person).")
@click.option("--person", help="tenant/subject ids that the certificate should be about.")
@click.option("--sample", type=(str, int), metavar="CHECK N", help="Draw N runs of a check of a period report.")
@click.option("--nonce", default="", help="The auditor's own text that the sample is drawn with, 8 to 128 letters.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def verify(
    document: Path,
    site: Path | None,
    public_key: str | None,
    salt: str | None,
    person: str | None,
    *,
    sample: tuple[str, int] | None,
    nonce: str,
    as_json: bool,
) -> None:
    """Check DOCUMENT offline.

    It is an erasure certificate, a data-set folder with its manifest, an audit proof, or the report of a period (ZIP).
    """
    trust = _trust(document, site, public_key)
    if document.is_dir():
        found = _data_set(document, trust)
    elif period.is_bundle(document):
        found = period.checked(document, trust, sample, nonce)
    else:
        found = _file(document, trust, salt, person)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"holds: {found.pop('what')}")
    for name, value in found.items():
        click.echo(f"  {name:<20}{value}")


def _trust(document: Path, site: Path | None, public_key: str | None) -> dict[str, Any]:
    from troth.kernel.errors import Invalid

    if (site is None) == (public_key is None):
        raise Invalid("Say whom you trust: --public-key KEY, or --site FILE, and not both.", code="no-trust")
    return _trusted(site) if site else _bare(document, public_key or "")


def _bare(document: Path, public_key: str) -> dict[str, Any]:
    """Trust in one key: whatever name the document gives its signer and log, this key must have signed both."""
    from troth.kernel.errors import Malformed

    kept = Path(public_key)
    try:
        text = _read(kept).decode().strip() if len(public_key) != 64 and kept.is_file() else public_key
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Malformed("The public key is 64 hex digits, or a file that holds them.", code="bad-public-key")
    if document.is_dir():
        name = "given"
    else:
        name = period.signer_of(document) if period.is_bundle(document) else _named(_read(document))
    return {"signers": {name: key}, "host": name, "log_key": key}


def _named(raw: bytes) -> str:
    """The name under which a document says that it was signed; a name proves nothing, the key does."""
    try:
        body = json.loads(raw)
        if "signatures" in body:
            return str(body["signatures"][0]["keyid"])
        checkpoint = str(body["proof"]).partition("\n\n")[2]
        return checkpoint.partition("\n")[0].rpartition("/log/")[0] or "given"
    except (ValueError, KeyError, TypeError, IndexError):
        return "given"


def _trusted(path: Path) -> dict[str, Any]:
    from troth.kernel.errors import Malformed

    try:
        trust = json.loads(_read(path))
        keys = {name: bytes.fromhex(key) for name, key in trust["signers"].items()}
        host, log_key = str(trust["logs"]["host"]), bytes.fromhex(trust["logs"]["key"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed("The trust file is not a /.well-known/troth.json.", code="trust-malformed") from None
    return {"signers": keys, "host": host, "log_key": log_key}


def _data_set(folder: Path, trust: dict[str, Any]) -> dict[str, Any]:
    from troth.kernel.errors import IntegrityError
    from troth.redact.manifest import verify_manifest

    refusal: IntegrityError | None = None
    for name, key in trust["signers"].items():
        try:
            manifest = verify_manifest(folder, key)
        except IntegrityError as error:
            refusal = error
        else:
            return {
                "what": "data set: manifest, signature and every file",
                "signed by": name,
                "files": len(manifest.files),
                "root": manifest.root,
            }
    raise refusal or IntegrityError("The trust file names no signer.", code="no-signer")


def _file(path: Path, trust: dict[str, Any], salt: str | None, person: str | None) -> dict[str, Any]:
    from troth.kernel.errors import Malformed

    raw = _read(path)
    try:
        body = json.loads(raw)
    except ValueError:
        raise Malformed("The document is not JSON; give the file as it was handed out.", code="not-json") from None
    if isinstance(body, dict) and {"leaf", "proof"} <= set(body):
        return _proof(body, trust)
    return _certificate(raw, trust, salt, person)


def _proof(body: dict[str, Any], trust: dict[str, Any]) -> dict[str, Any]:
    from troth.audit.verify import verify_proof
    from troth.cli.showing import readable
    from troth.kernel.errors import Malformed

    try:
        leaf, proof = str(body["leaf"]).encode(), str(body["proof"])
        entry = json.loads(leaf)
        log = str(entry["log"])
    except (ValueError, KeyError, TypeError):
        raise Malformed("The proof file is not one that 'troth log prove' wrote.", code="proof-malformed") from None
    index = verify_proof(proof, leaf, _log_key(trust, log))
    return {
        "what": "audit entry: its place in the signed log",
        "log": log,
        "index": index,
        "operation": readable("op", entry.get("op")),
        "time": readable("time", entry.get("time")),
        "outcome": readable("outcome", entry.get("outcome")),
    }


def _certificate(raw: bytes, trust: dict[str, Any], salt: str | None, person: str | None) -> dict[str, Any]:
    from troth.kernel.errors import Invalid
    from troth.vault.certificate import verify_certificate, verify_subject

    log = verify_certificate(raw, trust["signers"]).log.log
    held = verify_certificate(raw, trust["signers"], log_keys=[_log_key(trust, log)])
    if bool(salt) != bool(person):
        raise Invalid("Give both --salt and --person, or neither.", code="salt-and-person")
    if salt or person:
        tenant, _, subject = (person or "").partition("/")
        try:
            verify_subject(held, bytes.fromhex(salt or ""), tenant, subject)
        except ValueError:
            raise Invalid("The salt is 64 hex digits.", code="bad-salt") from None
    return {**_summary(held), **({"about": "the person given"} if person else {})}


def _summary(held: Certificate) -> dict[str, Any]:
    roots = held.keys.roots if held.keys else []
    return {
        "what": "erasure certificate: signature, claims, log entry and proof",
        "certificate": held.certificate,
        "scope": held.scope,
        "objects": held.objects.count,
        "by deletion only": _deleted(held),
        "shut": held.shut_at or "not stated",
        "keys destroyed": held.destroyed_at or _roots_gone(held),
        "issued": held.issued_at,
        "technique": held.technique,
        "roots destroyed": len(roots),
        "assurance": ", ".join(f"{domain} {one}" for domain, one in sorted(held.assurance.items())) or "none",
        "strength": f"{held.algorithm}, {held.strength} bits",
        "tried afterwards": _attempts(held),
        "approvals": ", ".join(f"{one.role} {one.actor}" for one in held.approvals),
        "backups": held.backups,
        "backups listed": ", ".join(held.backups_covered.identifiers) or "none",
        "backup places away": ", ".join(held.backups_away) or "none",
        "vendors": _vendors(held),
        "packed elsewhere": ", ".join(f"{one.jurisdiction} {one.packed_at}" for one in held.bundles) or "never",
        "completes": ", ".join(held.completes) or "no other",
        "not covered": " ".join(held.residual).removeprefix("Not covered: "),
    }


def _deleted(held: Certificate) -> str:
    if held.by_deletion is None:
        return "not stated"
    return f"{held.by_deletion.count}" + (f", key due after {held.key_due}" if held.key_due else "")


def _roots_gone(held: Certificate) -> str:
    """What a certificate of version 1 says of it."""
    return max((root.destroyed_at for root in held.keys.roots), default="none") if held.keys else "none"


def _attempts(held: Certificate) -> str:
    tried = held.verification.keys_tried + held.verification.objects_tried
    return f"{tried} keys and objects, {held.verification.keys_refused + held.verification.objects_refused} refused"


def _vendors(held: Certificate) -> str:
    told = [f"{one.vendor} ({one.requests}, until {one.until or 'no stated time'})" for one in held.vendors]
    return ", ".join(told) or "none keeps anything"


def _log_key(trust: dict[str, Any], log: str) -> str:
    from troth.audit.origins import Origins

    return str(Origins(trust["host"], trust["log_key"]).key(log))


def _read(path: Path) -> bytes:
    from troth.kernel.errors import TooLarge

    if path.stat().st_size > _MAX_DOCUMENT:
        raise TooLarge("The document is larger than any that Troth makes.", code="document-too-large")
    return path.read_bytes()
