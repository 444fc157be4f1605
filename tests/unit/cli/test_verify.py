"""`troth verify` with a key alone or with the site's keys, and what it says when something does not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from log_world import TestKey
from troth.cli.main import troth
from troth.kernel.errors import TrothError
from vault_world import TENANT, VaultWorld
from worlds import sqlite


@dataclass(frozen=True)
class Papers:
    folder: Path
    key: str

    @property
    def certificate(self) -> str:
        return str(self.folder / "certificate.json")

    @property
    def site(self) -> str:
        return str(self.folder / "troth.json")


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Papers]:
    folder = tmp_path_factory.mktemp("papers")
    world = VaultWorld(sqlite(folder), folder)
    world.keep()
    done = world.erase()
    key = world.key.public_key.hex()
    (folder / "certificate.json").write_bytes(world.erasures.certificate(TENANT, done.certificate or ""))
    logs = {"host": world.key.name, "key": key}
    (folder / "troth.json").write_text(json.dumps({"signers": {world.key.name: key}, "logs": logs}))
    (folder / "key.txt").write_text(f"{key}\n")
    yield Papers(folder, key)
    world.close()
    world.database.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(troth, ["verify", *arguments])


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, TrothError)
    assert len(result.exception.advice.split()) > 4
    return result.exception.code


def test_a_certificate_holds_by_key_by_file_and_by_site(papers: Papers) -> None:
    for trust in (
        ("--public-key", papers.key),
        ("--public-key", str(papers.folder / "key.txt")),
        ("--site", papers.site),
        ("--trust", papers.site),
    ):
        result = run(papers.certificate, *trust)
        assert (result.exit_code, "holds: erasure certificate" in result.output) == (0, True), result.output
    for line in ("local A0", "AES-256-GCM, 256 bits", "requester person", "No backups known"):
        assert line in result.output


def test_another_key_does_not_do(papers: Papers) -> None:
    other = TestKey(seed=b"y" * 32).public_key.hex()
    assert refused(papers.certificate, "--public-key", other) == "envelope-signature"


@pytest.mark.parametrize("key", ["", "abc", "zz" * 32, "ab" * 31])
def test_what_is_no_key_is_said(papers: Papers, key: str) -> None:
    assert refused(papers.certificate, "--public-key", key) == "bad-public-key"


def test_trust_is_given_once(papers: Papers) -> None:
    assert refused(papers.certificate) == "no-trust"
    assert refused(papers.certificate, "--public-key", papers.key, "--site", papers.site) == "no-trust"


def test_an_altered_certificate_is_refused(papers: Papers) -> None:
    content = (papers.folder / "certificate.json").read_bytes()
    bad = papers.folder / "bad.json"
    for place in range(0, len(content), len(content) // 20):
        bad.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert run(str(bad), "--public-key", papers.key).exit_code != 0, place
