"""One person is forgotten: what she left, what proves it, what a thief of every old file can still open."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from house import PASSWORD, House, Person, house, house_settings
from troth.audit.export import export_log
from troth.cli.main import troth
from troth.kernel.errors import Gone, TrothError
from troth.storage.placement import MARKER
from troth.wiring import Troth, build

CONFIRM = {"confirm": "erase everything about me"}
ALIVE = (200, 201)


@dataclass
class Story:
    """The house after the erasure, and what was taken out of it before."""

    home: House
    owner: Person
    her: Person
    his: Person
    her_key: dict[str, str]
    hers: list[str]
    his_object: str
    link: str
    request: str
    erasure: dict[str, Any]
    old: Path  # data and keys as they were before the erasure


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("erasure")
    with house(root / "live") as home:
        owner = home.tenant("lambda")
        her, his = (
            home.member(owner, "ida@lambda.example.org", name="Ida"),
            home.member(owner, "jon@lambda.example.org"),
        )
        her_key = home.key_headers(her, "generate", "own-data", "own-data:write")
        link, request = work(home, her, her_key)
        his_object = home.picture(his)["object"]
        hers = [one["id"] for one in home.ok("GET", "/v1/objects", her.headers)["objects"]]
        assert home.call("POST", "/v1/export", her.headers).content[:2] == b"PK"
        home.system.base.sequencer.flush()
        home.system.base.database.checkpoint()
        shutil.copytree(root / "live", root / "old")
        erasure = home.ok("POST", "/v1/erasures/own", her.headers, **CONFIRM)
        home.system.base.sequencer.flush()
        yield Story(home, owner, her, his, her_key, hers, his_object, link, request, erasure, root / "old")


def work(home: House, her: Person, key: dict[str, str]) -> tuple[str, str]:
    """Upload, picture, conversation that is kept, consent; gives the picture's link and the request's id."""
    files = {"file": ("diary.txt", b"the diary of Ida", "text/plain")}
    uploaded = home.client.post("/v1/files", headers=key, files=files, data={"purpose": "user_data"})
    wish = {"model": "troth-studio-1", "prompt": "an orchard", "size": "96x96", "response_format": "url"}
    drawn = home.call("POST", "/v1/images/generations", key, **wish)
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "Remember Ida"}], "store": True}
    talked = home.call("POST", "/v1/chat/completions", key, **said)
    agreed = home.call("POST", "/v1/consents", her.headers, purpose="training", notice="2026-11")
    assert [one.status_code in ALIVE for one in (uploaded, drawn, talked, agreed)] == [True] * 4
    return drawn.json()["data"][0]["url"].partition("localhost")[2].partition("/")[2], drawn.headers["x-request-id"]


# What is left of her


def test_it_is_done_and_certified(story: Story) -> None:
    assert story.erasure["state"] == "done"
    assert re.fullmatch(r"[0-9a-f]{64}", story.erasure["salt"])
    shown = story.home.ok("GET", f"/v1/erasures/{story.erasure['id']}", story.owner.headers)
    assert (shown["state"], shown["certificate"]) == ("done", story.erasure["certificate"])
    assert shown["salt"] is None, "the salt is in her copy only"


def test_her_session_and_keys_are_dead(story: Story) -> None:
    for headers, code in ((story.her.headers, "session-unknown"), (story.her_key, "key-unknown")):
        answer = story.home.call("GET", "/v1/objects", headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_she_is_a_stranger_now(story: Story) -> None:
    again = story.home.call("POST", "/v1/sessions", email=story.her.email, password=PASSWORD)
    nobody = story.home.call("POST", "/v1/sessions", email="nobody@lambda.example.org", password=PASSWORD)
    assert again.status_code == nobody.status_code == 401
    assert {**again.json(), "request": ""} == {**nobody.json(), "request": ""}
    people = story.home.ok("GET", "/v1/users", story.owner.headers)
    assert "ida@" not in json.dumps(people)


def test_her_objects_are_gone_for_everybody(story: Story) -> None:
    assert len(story.hers) >= 5, "file, picture, receipts, answer"
    for identifier in story.hers:
        assert story.home.call("GET", f"/v1/objects/{identifier}/content", story.his.headers).status_code == 404
        assert story.home.call("GET", f"/v1/objects/{identifier}/content", story.owner.headers).status_code == 404
        with pytest.raises(Gone):
            story.home.system.vault.objects.open(story.her.tenant, story.her.id, identifier)


def test_her_link_has_died(story: Story) -> None:
    answer = story.home.client.get(f"/{story.link}")
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")


def test_nothing_can_be_kept_for_her_again(story: Story) -> None:
    assert story.home.call("POST", "/v1/chat/completions", story.her_key, model="x", messages=[]).status_code == 401
    assert story.home.system.vault.consents.valid(story.her.tenant, story.her.id, "training") is None


def test_no_ciphertext_of_hers_is_left(story: Story) -> None:
    with story.home.system.base.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT id, blob, facts FROM vault_object").all()
    left = {str(row[0]): row[1:] for row in rows}
    assert all(left.get(identifier, (None, None)) == (None, None) for identifier in story.hers)
    names = set(story.home.system.base.objects.names())
    assert names - {MARKER} == {row[1] for row in rows if row[1]}


def test_the_other_person_has_everything(story: Story) -> None:
    opened = story.home.call("GET", f"/v1/objects/{story.his_object}/content", story.his.headers)
    assert opened.content.startswith(b"\x89PNG")
    assert story.home.picture(story.his)["object"], "and goes on working"


# What proves it, offline


@pytest.fixture
def papers(story: Story, tmp_path: Path) -> Path:
    """What a stranger gets: the certificate and the public keys."""
    certificate = story.home.call("GET", f"/v1/certificates/{story.erasure['certificate']}", story.owner.headers)
    (tmp_path / "certificate.json").write_bytes(certificate.content)
    (tmp_path / "trust.json").write_bytes(story.home.client.get("/.well-known/troth.json").content)
    return tmp_path


def verify(papers: Path, *more: str, document: str = "certificate.json") -> Result:
    command = ["verify", str(papers / document), "--trust", str(papers / "trust.json"), "--json", *more]
    return CliRunner().invoke(troth, command)


def test_the_certificate_holds_offline(story: Story, papers: Path) -> None:
    result = verify(papers)
    assert result.exit_code == 0, result.exception
    found = json.loads(result.output)
    assert (found["certificate"], found["scope"]) == (story.erasure["certificate"], "subject")
    assert found["objects"] == len(story.hers)
    assert found["roots destroyed"] >= 1
    assert found["assurance"].endswith(" A0")


def test_the_certificate_is_about_her_for_whoever_has_the_salt(story: Story, papers: Path) -> None:
    her, his = f"{story.her.tenant}/{story.her.id}", f"{story.his.tenant}/{story.his.id}"
    assert verify(papers, "--salt", story.erasure["salt"], "--person", her).exit_code == 0
    assert verify(papers, "--salt", story.erasure["salt"], "--person", his).exit_code != 0
    assert verify(papers, "--salt", "00" * 32, "--person", her).exit_code != 0
    assert story.her.id not in (papers / "certificate.json").read_text(), "without it, it names nobody"


def test_a_changed_certificate_does_not_hold(papers: Path) -> None:
    envelope = json.loads((papers / "certificate.json").read_text())
    for member in ("payload", "signatures"):
        broken = json.loads(json.dumps(envelope))
        if member == "payload":
            broken["payload"] = broken["payload"][:-8] + "AAAA" + broken["payload"][-4:]
        else:
            signature = broken["signatures"][0]["sig"]
            broken["signatures"][0]["sig"] = ("B" if signature[0] == "A" else "A") + signature[1:]
        (papers / "broken.json").write_text(json.dumps(broken))
        assert verify(papers, document="broken.json").exit_code != 0, member


def test_another_installation_s_keys_do_not_vouch_for_it(papers: Path) -> None:
    trust = json.loads((papers / "trust.json").read_text())
    trust["signers"] = dict.fromkeys(trust["signers"], "11" * 32)
    (papers / "trust.json").write_text(json.dumps(trust))
    assert verify(papers).exit_code != 0


def audit(folder: Path, home: House, log: str) -> Result:
    key = str(home.system.base.sequencer.origins.key(log))
    return CliRunner().invoke(troth, ["audit", "verify", str(folder), "--key", key, "--json"])


def test_the_log_of_the_tenant_verifies_and_tells_the_erasure(story: Story, tmp_path: Path) -> None:
    log = story.owner.tenant
    story.home.system.base.sequencer.flush()
    exported = export_log(partial(story.home.installation.troth.publisher.resource, log), tmp_path / "log")
    result = audit(tmp_path / "log", story.home, log)
    assert result.exit_code == 0, result.exception
    assert json.loads(result.output)["size"] == exported.size > 20
    bundles = b"".join(
        path.read_bytes() for path in (tmp_path / "log" / "tile" / "entries").rglob("*") if path.is_file()
    )
    for event in (b'"erasure.own"', b'"erasure.requested"', b'"erasure.tombstoned"', story.erasure["id"].encode()):
        assert event in bundles
    assert audit(tmp_path / "log", story.home, "operator").exit_code != 0, "a key is good for one log only"


def test_a_log_with_one_changed_byte_does_not_verify(story: Story, tmp_path: Path) -> None:
    log = story.owner.tenant
    export_log(partial(story.home.installation.troth.publisher.resource, log), tmp_path / "log")
    bundle = next(path for path in (tmp_path / "log" / "tile" / "entries").rglob("*") if path.is_file())
    bundle.write_bytes(bundle.read_bytes().replace(b'"done"', b'"dome"', 1))
    assert audit(tmp_path / "log", story.home, log).exit_code != 0


# What a thief of every old file and of today's keys can do


def restored(story: Story, keys: Path, place: Path) -> Troth:
    """The old data folder with these keys."""
    shutil.copytree(story.old / "data", place / "data")
    shutil.copytree(keys, place / "keys")
    return build(house_settings(place))


def opened(thief: Troth, person: Person, identifier: str) -> bool:
    try:
        thief.system.vault.objects.open(person.tenant, person.id, identifier)
    except TrothError:
        return False
    return True


def test_old_files_with_old_keys_would_open(story: Story, tmp_path: Path) -> None:
    """The copy is whole, so what follows is not the fault of the copy."""
    then = restored(story, story.old / "keys", tmp_path)
    then.start()
    assert opened(then, story.her, story.hers[0])
    assert opened(then, story.his, story.his_object)
    then.stop()


def test_old_files_with_todays_keys_do_not_open_at_all(story: Story, tmp_path: Path) -> None:
    """Every key hangs below the root of its moment, and that root is destroyed: his old copy is closed as hers is.

    What was not erased is opened from today's files; a restore goes forward from them (backup), never back.
    """
    thief = restored(story, story.home.folder / "keys", tmp_path)
    with pytest.raises(TrothError) as refused:
        thief.start()
    assert refused.value.code == "fork"  # today's keys remember what the log had signed since
    with pytest.raises(TrothError) as closed:
        thief.system.base.tree.resume()  # a thief does not mind the log
    assert closed.value.code == "tree-rolled-back"
    assert not any(opened(thief, story.her, identifier) for identifier in story.hers)
    assert not opened(thief, story.his, story.his_object)
    thief.stop()


def test_old_ciphertext_in_todays_installation_stays_closed(story: Story, tmp_path: Path) -> None:
    """Today's database and keys, every sealed object and key page of before put back beside them."""
    shutil.copytree(story.home.folder, tmp_path / "now")
    for name in ("objects", "key-pages"):
        shutil.copytree(story.old / "data" / name, tmp_path / "now" / "data" / name, dirs_exist_ok=True)
    units = old_units(story.old / "data" / "troth.db")
    now = build(house_settings(tmp_path / "now"))
    now.system.base.tree.resume()
    for identifier in story.hers:
        assert not opened(now, story.her, identifier)
        with pytest.raises(Gone):  # even asked for by the id that the old row knew
            now.system.base.tree.key(bytes.fromhex(units[identifier]))
    assert opened(now, story.his, story.his_object)
    assert now.system.base.tree.key(bytes.fromhex(units[story.his_object])).key
    now.stop()


def old_units(database: Path) -> dict[str, str]:
    """Object id to the id of its key unit, as the old database had it."""
    opened_database = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    with contextlib.closing(opened_database) as connection:
        return dict(connection.execute("SELECT id, unit FROM vault_object").fetchall())
