"""Erasing people leaves every proof and the whole log standing, and nothing of them: issue 5, third line of acceptance.

Three people are planted with many names for themselves: addresses, agents, mails, names, what was written about them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from database_world import DATABASES
from house import ADDRESS, House, Person, house
from troth.audit.details import State
from troth.audit.export import export_log
from troth.audit.leaf import read_leaf
from troth.audit.log import LogPublisher
from troth.audit.verify import verify_log, verify_proof
from troth.kernel.scope import SYSTEM, within
from troth.storage.database import metadata
from troth.storage.detail_rows import audit_details

PEOPLE, VISITS = 3, 12


@dataclass
class Planted:
    """Somebody, and everything by which they could be recognised."""

    person: Person
    marks: list[str] = field(default_factory=list)


@pytest.fixture(scope="module", params=DATABASES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TROTH_TEST_HOUSE", request.param)
        with house(tmp_path_factory.mktemp("erasure")) as home:
            yield home


@dataclass
class Story:
    """What happened, looked at from all sides."""

    home: House
    owner: Person
    planted: list[Planted]
    kept_rows: list[dict[str, Any]]
    opened_before: list[dict[str, str]]

    @property
    def logs(self) -> list[str]:
        return [self.owner.tenant, "operator"]

    @property
    def marks(self) -> list[str]:
        return [mark for one in self.planted for mark in one.marks]


@pytest.fixture(scope="module")
def story(built: House) -> Story:
    owner = built.tenant("lambda")
    planted = [_plant(built, owner, number) for number in range(PEOPLE)]
    built.system.base.sequencer.flush()
    about = [_open(built, owner, entry, one) for one in planted for entry in _of(built, owner.tenant, one.person)[:5]]
    with within(SYSTEM), built.system.base.database.read() as connection:
        rows = [dict(row) for row in connection.execute(select(audit_details)).mappings()]
    for one in planted:
        assert built.ok("POST", "/v1/erasures", owner.headers, subject=one.person.id)["state"] == "done"
    built.system.base.sequencer.flush()
    gone = {one.person.id for one in planted}
    return Story(built, owner, planted, [row for row in rows if row["subject"] in gone], about)


def _plant(home: House, owner: Person, number: int) -> Planted:
    name, email = f"Philippa Quickwater{number}", f"philippa.q{number}@kestrel-mail.example.org"
    person = home.member(owner, email, name=name)
    marks = [name, email]
    for visit in range(VISITS):
        address = f"203.0.{113 + number}.{visit + 100}" if visit % 2 else f"2001:db8:{number + 7}::{visit + 1:x}:4711"
        agent = f"Quickbrowser{number}/{visit}.7 (kestrel; {email})"
        marks += [address, agent]
        client = TestClient(home.installation.app, base_url=ADDRESS, client=(address, 40_000))
        home.proving.attach(client)
        asked = {"user-agent": agent}
        client.get("/v1/me", headers={**person.headers, **asked})
        client.get("/v1/objects", headers={**person.headers, **asked})
        if visit < 2:  # refused sign-ins, seen by the account's own log
            client.post("/v1/sessions", json={"email": email, "password": f"wrong-{number}-{visit}"}, headers=asked)
            client.get("/v1/activity", headers={**person.headers, **asked})
    return Planted(person, marks)


def _of(home: House, log: str, person: Person) -> list[Any]:
    """Entries of a person that carry details, newest first."""
    every = home.system.base.reader.entries(log, 0, 1000)
    mine = [one for one in every if read_leaf(one.leaf).get("actor") == person.id and "pd" in read_leaf(one.leaf)]
    return mine[::-1]


def _open(home: House, owner: Person, entry: Any, planted: Planted) -> dict[str, str]:
    reason = f"{planted.marks[0]} complained by telephone"
    planted.marks.append(reason)
    path = f"/v1/activity/{entry.index}/details"
    found = home.ok("POST", path, owner.headers, reason=reason)
    assert found["state"] == State.OPEN
    return dict(found["details"])


def test_before_the_erasure_the_details_opened(story: Story) -> None:
    assert len(story.opened_before) == PEOPLE * 5
    for details in story.opened_before:
        assert details["address"] in story.marks
        assert details["agent"] in story.marks
        assert details["session"].startswith("ses_")
    assert len(story.kept_rows) > PEOPLE * VISITS * 2


def test_every_inclusion_proof_still_holds(story: Story) -> None:
    base = story.home.system.base
    base.sequencer.flush()  # what other tests of this story did is signed, too
    looked = 0
    for log in story.logs:
        key = str(base.sequencer.origins.key(log))
        for one in base.reader.entries(log, 0, 1000):
            assert verify_proof(base.prover.proof(log, one.index), one.leaf, key) == one.index
            looked += 1
    assert looked > PEOPLE * VISITS * 4


def test_the_full_audit_still_passes(story: Story) -> None:
    base = story.home.system.base
    base.sequencer.flush()  # as above
    for log in story.logs:
        resource = partial(LogPublisher(base.database).resource, log)
        audited = verify_log(resource, str(base.sequencer.origins.key(log)))
        assert audited.size == base.reader.size(log)


def test_the_details_do_not_open(story: Story) -> None:
    for one in story.planted:
        entries = _of(story.home, story.owner.tenant, one.person)
        assert len(entries) > VISITS
        for entry in entries[:3]:
            path = f"/v1/activity/{entry.index}/details"
            found = story.home.ok("POST", path, story.owner.headers, reason="after the erasure")
            assert (found["state"], found["details"]) == (State.ERASED, {})


def test_rows_put_back_from_an_old_copy_do_not_open_either(story: Story) -> None:
    base, gone = story.home.system.base, story.planted[0].person
    with within(SYSTEM):
        mine = [row for row in story.kept_rows if row["subject"] == gone.id]
        with base.database.write() as connection:
            connection.execute(insert(audit_details), mine)
        try:
            states = {base.details.of(one.leaf).state for one in _of(story.home, story.owner.tenant, gone)}
        finally:
            story.home.system.vault.holders[3].forget(gone.tenant, gone.id)
    assert states == {State.ERASED}


def test_nothing_planted_stands_in_any_tile_bundle_table_or_file(
    story: Story, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    needles = {needle for mark in story.marks for needle in _disguises(mark)}
    assert len(story.marks) > PEOPLE * VISITS * 2
    base = story.home.system.base
    for log in story.logs:
        export_log(partial(LogPublisher(base.database).resource, log), tmp_path / log)
    places = [*(tmp_path.rglob("*")), *story.home.folder.rglob("*")]
    found = [path for path in places if path.is_file() and _holds(path.read_bytes(), needles)]
    assert found == []
    with within(SYSTEM), base.database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                values = [one if isinstance(one, bytes) else str(one).encode() for one in row]
                assert not any(_holds(value, needles) for value in values), table.name
    said = capfd.readouterr()
    assert not _holds((said.out + said.err).encode(), needles)


def test_the_search_sees_through_encodings_and_plain_hashes(story: Story) -> None:
    mark = story.marks[1]
    hidden = hashlib.sha256(mark.encode()).hexdigest(), base64.b64encode(mark.encode()).decode(), mark.lower()
    for one in hidden:
        assert _holds(f'{{"user":"{one}"}}'.encode(), _disguises(mark))
    assert not _holds(b'{"user":"usr_a"}', _disguises(mark))


def _disguises(mark: str) -> set[bytes]:
    """A mark as it is, as encodings hide it, and as hashes without a key would stand for it."""
    raw = mark.encode()
    made = {raw, raw.lower(), raw.hex().encode(), base64.b64encode(raw)}
    for name in ("sha256", "sha1", "md5"):
        digest = hashlib.new(name, raw, usedforsecurity=False)
        made |= {digest.digest(), digest.hexdigest().encode(), base64.b64encode(digest.digest())}
    return made


def _holds(content: bytes, needles: set[bytes]) -> bool:
    return any(needle in content for needle in needles)
