"""Which data trained which model (TRN-05): a signed statement about the files of a model and the data sets it read.

An in-toto Statement v1 in a DSSE envelope, as manifests are: subject, the files of the model; predicate, the data sets
by root digest and digest of their manifest. A registration names the digests that the training job says it read; one
that no verified data set has is refused, and so is a data set that the job did not read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

from troth.kernel.errors import Conflict, IntegrityError, Invalid, NotFound
from troth.kernel.signer import Signer
from troth.redact.files import sha256_file
from troth.redact.manifest import MANIFEST, STATEMENT_TYPE, read_envelope, signed_envelope, verify_manifest

PREDICATE_TYPE = "urn:troth:model-lineage:v1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


@dataclass(frozen=True, slots=True)
class Lineage:
    """A statement whose signature held. `files`: (name, SHA-256) of the model; `datasets` as in the predicate."""

    model: str
    files: tuple[tuple[str, str], ...]
    datasets: tuple[Mapping[str, Any], ...]


def register(
    model: str, files: Sequence[Path], sets: Sequence[Path], *, read: Sequence[str], key: bytes, signer: Signer
) -> bytes:
    """The signed statement that `model` (these files) was trained on these sets and on nothing else.

    `read`: root digests of the sets that the training job opened. `key`: Ed25519 key that the manifests hold under.
    Raises IntegrityError for a set that does not verify, Conflict (`lineage-unknown-digest`) for a digest that none of
    the sets has, or a set that was not read, Invalid, NotFound.
    """
    if not _NAME.fullmatch(model):
        raise Invalid("The name of a model is up to 100 letters, digits, dots, colons, dashes.", field="model")
    if not files or not sets:
        raise Invalid("Name the files of the model, and the data sets that it was trained on.", field="dataset")
    if not all(path.is_file() for path in files):
        raise NotFound("A file of the model cannot be read.", code="model-file-not-found")
    found = [_dataset(directory, key) for directory in sets]
    if sorted(one["root"] for one in found) != sorted(set(read)):
        raise Conflict(
            "The digests that the training read and those of the data sets are not the same; give every data set that "
            "was read, and no other.",
            code="lineage-unknown-digest",
        )
    statement: Any = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": path.name, "digest": {"sha256": sha256_file(path)}} for path in files],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"model": model, "datasets": found},
    }
    return signed_envelope(rfc8785.dumps(statement), signer)


def _dataset(directory: Path, key: bytes) -> dict[str, Any]:
    """What a statement says of a verified set."""
    predicate = verify_manifest(directory, key).predicate
    policy = predicate["policy"]
    return {
        "dataset": predicate["dataset"],
        "root": predicate["root"],
        "manifest": hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest(),
        "policy": {"name": policy["name"], "version": policy["version"], "digest": policy["digest"]},
        "detectors": list(predicate["detectors"]),
        "canaries": {name: predicate["canaries"][name] for name in ("planted", "left")},
    }


def read_lineage(document: bytes, key: bytes) -> Lineage:
    """The statement, if `key` (Ed25519, 32 raw bytes) signed it; nothing else is needed. Raises IntegrityError."""
    body = read_envelope(document, key)
    try:
        if (body["_type"], body["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise ValueError
        files = tuple((str(one["name"]), str(one["digest"]["sha256"])) for one in body["subject"])
        datasets = tuple(dict(one) for one in body["predicate"]["datasets"])
        return Lineage(str(body["predicate"]["model"]), files, datasets)
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            "The document is signed but is no lineage of a model.", code="lineage-malformed"
        ) from error


def require_same(lineage: Lineage, files: Sequence[Path], sets: Sequence[Path], key: bytes) -> None:
    """Compare a statement with the files of a model and data sets that are at hand. Raises IntegrityError."""
    known = dict(lineage.files)
    for path in files:
        if known.get(path.name) != sha256_file(path):
            raise IntegrityError("A file of the model is not the one that was registered.", code="model-changed",
                                 field=path.name)  # fmt: skip
    listed = {(one["root"], one["manifest"]) for one in lineage.datasets}
    for directory in sets:
        one = _dataset(directory, key)
        if (one["root"], one["manifest"]) not in listed:
            raise IntegrityError("A data set is not one that the model was trained on.", code="lineage-unknown-digest")
