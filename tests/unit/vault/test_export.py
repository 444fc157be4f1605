"""A person's copy: complete, with digests, theirs alone, and symmetric with erasure."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from troth.kernel.errors import Gone, TooLarge
from troth.vault.export import Exporter
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld


def read(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_holds_everything_with_digests(world: VaultWorld) -> None:
    kept = world.keep(b"hello", name="Grüße.txt")
    consent = world.consents.grant(TENANT, ANN, "training", notice="v1")
    world.notebook.lines[TENANT, ANN] = ["likes tea"]
    archive, count = world.exporter.export(TENANT, ANN)
    files = read(archive)
    manifest = json.loads(files["manifest.json"])
    assert count == 3
    assert {one["path"] for one in manifest["files"]} == files.keys() - {"manifest.json"}
    for one in manifest["files"]:
        assert hashlib.sha256(files[one["path"]]).hexdigest() == one["sha256"]
    assert files[f"files/{kept.id}.txt"] == b"hello"
    assert [one["name"] for one in manifest["files"] if "name" in one] == ["Grüße.txt"]
    assert {one["identifier"] for one in json.loads(files["data/vault.json"])} == {kept.id, consent.id}
    assert json.loads(files["data/notebook.json"])[0]["content"] == {"text": "likes tea"}


def test_a_readme_says_what_lies_where(world: VaultWorld) -> None:
    world.keep()
    world.keep()
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    text = read(world.exporter.export(TENANT, ANN)[0])["README.txt"].decode()
    assert "data/vault.json: 1 consent, 2 object\n" in text
    assert "data/notebook.json: nothing\n" in text
    assert "2026-11-22 12:00 UTC" in text


def test_holds_nothing_of_others(world: VaultWorld) -> None:
    world.keep(b"his", subject=BOB)
    world.keep(b"elsewhere", tenant=OTHER)
    files = read(world.exporter.export(TENANT, ANN)[0])
    assert files.keys() == {"manifest.json", "README.txt", "data/vault.json", "data/notebook.json"}
    assert json.loads(files["data/vault.json"]) == []


def test_what_export_finds_erasure_forgets(world: VaultWorld) -> None:
    for number in range(3):
        world.keep(own_unit=bool(number))
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    world.notebook.lines[TENANT, ANN] = ["one", "two"]
    holders = (world.holder, world.notebook)
    found = {(holder.name, one.identifier) for holder in holders for one in holder.holdings(TENANT, ANN)}
    forgotten = {(holder.name, one) for holder in holders for one in holder.forget(TENANT, ANN).identifiers}
    assert found == forgotten
    assert [holder.forget(TENANT, ANN).identifiers for holder in holders] == [(), ()]
    assert world.exporter.export(TENANT, ANN)[1] == 0


def test_export_after_erasure_is_empty(world: VaultWorld) -> None:
    world.keep()
    world.erase()
    assert world.exporter.export(TENANT, ANN)[1] == 0


def test_too_large_is_refused(world: VaultWorld) -> None:
    world.keep(bytes(2000))
    with pytest.raises(TooLarge):
        Exporter([world.holder], world.holder, world.clock, limit=1500).export(TENANT, ANN)


def test_erasure_in_the_middle_is_told(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.keep()
    infos = list(world.holder.infos(TENANT, ANN))
    world.objects.delete(TENANT, ANN, kept.id)
    monkeypatch.setattr(world.holder, "infos", lambda *_: iter(infos))
    with pytest.raises(Gone) as refusal:
        world.exporter.export(TENANT, ANN)
    assert refusal.value.code == "export-raced"


def test_many_objects_are_paged(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.vault.holder._PAGE", 2)
    kept = {world.keep().id for _ in range(5)}
    assert {one.identifier for one in world.holder.holdings(TENANT, ANN)} == kept
