"""Which data trained which model: signed, offline, and refused where a digest is unknown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.kernel.errors import Conflict, IntegrityError, Invalid, NotFound
from troth.redact.consent import NoSubjects
from troth.redact.dataset import DatasetJob, redact_dataset
from troth.redact.lineage import read_lineage, register, require_same
from troth.redact.manifest import LocalSigner, write_manifest
from troth.redact.policy import training_policy

SIGNER = LocalSigner(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
KEY = SIGNER.public_key
OTHER = LocalSigner(Ed25519PrivateKey.from_private_bytes(b"o" * 32))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("sets")
    (folder / "in.jsonl").write_text('{"text": "The pump is loud."}\n')
    job = DatasetJob(source_path=folder / "in.jsonl", output=folder / "out", name="pumps", source="invented",
                     licence="CC0-1.0", policy=training_policy(), gate=NoSubjects("The row is invented."),
                     root_key=b"r" * 32, format="jsonl", workers=1, canaries=45)  # fmt: skip
    return folder / "out", str(redact_dataset(job, SIGNER)["root"])


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"weights")
    return path


def test_registered_and_read_again(made: tuple[Path, str], weights: Path) -> None:
    directory, root = made
    document = register("echo-1", [weights], [directory], read=[root], key=KEY, signer=SIGNER)
    lineage = read_lineage(document, KEY)
    assert (lineage.model, [name for name, _ in lineage.files]) == ("echo-1", ["weights.bin"])
    (one,) = lineage.datasets
    assert (one["dataset"], one["root"], one["canaries"]) == ("pumps", root, {"planted": 45, "left": 0})
    require_same(lineage, [weights], [directory], KEY)
    weights.write_bytes(b"other")
    with pytest.raises(IntegrityError, match="not the one that was registered"):
        require_same(lineage, [weights], [], KEY)


@pytest.mark.parametrize("read", [["0" * 64], [], ["ROOT", "0" * 64]])
def test_an_unknown_digest_is_refused(made: tuple[Path, str], weights: Path, read: list[str]) -> None:
    directory, root = made
    given = [root if one == "ROOT" else one for one in read]
    with pytest.raises(Conflict) as caught:
        register("m", [weights], [directory], read=given, key=KEY, signer=SIGNER)
    assert caught.value.code == "lineage-unknown-digest"


def test_a_set_that_does_not_verify_is_refused(made: tuple[Path, str], weights: Path, tmp_path: Path) -> None:
    directory, root = made
    with pytest.raises(IntegrityError):
        register("m", [weights], [directory], read=[root], key=OTHER.public_key, signer=SIGNER)
    with pytest.raises(IntegrityError):
        register("m", [weights], [tmp_path], read=[root], key=KEY, signer=SIGNER)
    with pytest.raises(NotFound):
        register("m", [tmp_path / "none"], [directory], read=[root], key=KEY, signer=SIGNER)
    for name, files in (("", [weights]), ("m", [])):
        with pytest.raises(Invalid):
            register(name, files, [directory], read=[root], key=KEY, signer=SIGNER)


def test_a_changed_statement_is_refused(made: tuple[Path, str], weights: Path, tmp_path: Path) -> None:
    directory, root = made
    document = register("m", [weights], [directory], read=[root], key=KEY, signer=SIGNER)
    for bad in (document.replace(b"e", b"f", 1), b"{}", b"x", document[:-9]):
        with pytest.raises(IntegrityError):
            read_lineage(bad, KEY)
    with pytest.raises(IntegrityError):
        read_lineage(document, OTHER.public_key)
    write_manifest(tmp_path, json.dumps({"_type": "x", "predicateType": "y"}).encode(), SIGNER)
    with pytest.raises(IntegrityError, match="no lineage"):
        read_lineage((tmp_path / "manifest.dsse.json").read_bytes(), KEY)
    with pytest.raises(IntegrityError):
        read_lineage((directory / "manifest.dsse.json").read_bytes(), KEY)
