"""`troth audit tail|search|show|prove|export` and auditors for a time, against the whole installation."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from house import House, Person
from troth.audit.verify import verify_log, verify_proof
from troth.cli import audit_browse, audit_export
from troth.cli.audit import audit
from troth.cli.client import Answer, Client, Streamed, _refused
from troth.kernel.errors import IntegrityError, Invalid, TrothError


class HouseClient:
    """The command line's client with the house's own door instead of a socket."""

    def __init__(self, home: House, headers: dict[str, str]) -> None:
        self._home, self._headers = home, headers
        self.cut = 0  # bytes that a bad connection loses at the end

    def call(self, method: str, path: str, values: dict[str, Any] | None = None) -> Answer:
        answer = self._home.call(method, path, self._headers, **(values or {}))
        if answer.status_code >= 400:
            raise _refused(answer.content)
        return Answer(answer.headers["content-type"].partition(";")[0], answer.content)

    @contextmanager
    def streamed(self, path: str, values: dict[str, Any]) -> Iterator[Streamed]:
        answer = self._home.call("GET", path, self._headers, **values)
        if answer.status_code >= 400:
            raise _refused(answer.content)
        yield Streamed(dict(answer.headers), iter([answer.content[: len(answer.content) - self.cut]]))


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("browsing")


@pytest.fixture(scope="module")
def mia(home: House, owner: Person) -> Person:
    return home.member(owner, "mia@browsing.example.org")


@pytest.fixture
def client(home: House, owner: Person, monkeypatch: pytest.MonkeyPatch) -> HouseClient:
    home.system.base.sequencer.flush()
    made = HouseClient(home, owner.headers)
    monkeypatch.setattr(Client, "from_environment", lambda: made)
    return made


def run(*words: object) -> str:
    result = CliRunner().invoke(audit, [str(one) for one in words])
    if isinstance(result.exception, TrothError):
        raise result.exception
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def listed(*words: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json").splitlines()]


def test_the_tail_is_the_newest_in_order(home: House, client: HouseClient, owner: Person) -> None:
    before = home.system.base.reader.size(owner.tenant)
    newest = listed("tail", "-n", 5)
    assert [one["index"] for one in newest] == list(range(newest[0]["index"], newest[0]["index"] + 5))
    # The look is itself an entry, which may have its place by now.
    assert before - 1 <= newest[-1]["index"] < home.system.base.reader.size(owner.tenant)
    assert "object.list" not in run("tail", "-n", 3, "--operation", "user.create")


def test_following_shows_what_is_new_and_not_itself(
    home: House, client: HouseClient, mia: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(3))

    def wait(_seconds: float) -> None:
        if next(looks) == 2:
            raise KeyboardInterrupt
        home.ok("GET", "/v1/objects", mia.headers)
        home.system.base.sequencer.flush()

    monkeypatch.setattr(audit_browse.time, "sleep", wait)
    result = CliRunner().invoke(audit, ["tail", "-n", "1", "--follow", "--json"])
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["operation"] for one in shown].count("object.list") == 4
    indexes = [one["index"] for one in shown]
    assert indexes == sorted(set(indexes))
    assert "audit.list" not in [one["operation"] for one in shown[1:]]


def test_searches_find_by_each_thing(client: HouseClient, owner: Person, mia: Person) -> None:
    for words, holds in (
        (("--actor", mia.id), lambda one: one["actor"] == mia.id),
        (("--operation", "user.create"), lambda one: one["operation"] == "user.create"),
        (("--object", mia.id), lambda one: mia.id in json.dumps(one)),
        (("--outcome", "pending"), lambda one: one["outcome"] == "pending"),
        (("--since", "1h"), lambda one: True),
    ):
        found = listed("search", *words)
        assert found
        assert all(map(holds, found))
    assert listed("search", "--until", "2020-01-01T00:00") == listed("search", "--subject", "usr_nobody") == []
    assert len(listed("search", "--limit", 2)) == 2
    with pytest.raises(AssertionError, match="2h, 3d"):
        run("search", "--since", "yesterday")
    with pytest.raises(Invalid):
        run("search", "--own", "--actor", mia.id)


def test_show_checks_the_proof_and_opens_details_with_a_reason(home: House, client: HouseClient, mia: Person) -> None:
    home.ok("GET", "/v1/objects", mia.headers)
    home.system.base.sequencer.flush()
    sealed = next(one for one in listed("search", "--actor", mia.id) if one["pd"])
    plain = run("show", sealed["index"])
    assert "holds at index" in plain
    assert "open them with --reason" in plain
    home.system.base.sequencer.flush()
    opened = run("show", sealed["index"], "--reason", "ticket 4711, please")
    assert "details.agent" in opened
    assert "testclient" in opened
    home.system.base.sequencer.flush()
    theirs = home.ok("GET", "/v1/activity/own", mia.headers, operation="audit.details")["entries"]
    assert theirs[0]["facts"] == {"index": sealed["index"], "state": "open", "subject": mia.id}
    own = home.ok("GET", f"/v1/activity/own/{theirs[0]['index']}/details", mia.headers)
    assert own["details"] == {"reason": "ticket 4711, please"}  # and not from where the auditor came
    mine = home.ok("GET", f"/v1/activity/own/{sealed['index']}/details", mia.headers)
    assert mine["details"]["agent"] == "testclient"


def test_details_of_others_are_not_for_members(home: House, client: HouseClient, owner: Person, mia: Person) -> None:
    about = next(one for one in listed("search", "--actor", owner.id) if one["pd"] and not one["facts"])["index"]
    assert home.call("GET", f"/v1/activity/own/{about}/details", mia.headers).status_code == 404
    assert home.call("POST", f"/v1/activity/{about}/details", mia.headers, reason="curious").status_code == 403
    assert home.call("POST", f"/v1/activity/{about}/details", owner.headers, reason="").status_code == 422


def test_prove_writes_what_the_offline_verifier_takes(
    home: House, client: HouseClient, owner: Person, tmp_path: Path
) -> None:
    said = run("prove", 3, "--out", tmp_path)
    assert "troth audit verify-proof" in said
    proof, leaf = (tmp_path / name for name in ("entry-3.tlog-proof", "entry-3.json"))
    key = str(home.system.base.sequencer.origins.key(owner.tenant))
    assert verify_proof(proof.read_text(), leaf.read_bytes(), key) == 3


def test_exports_are_counted_against_the_log(
    home: House, client: HouseClient, owner: Person, mia: Person, tmp_path: Path
) -> None:
    home.system.base.sequencer.flush()
    assert "entries of indexes 0 to" in run("export", tmp_path / "log.jsonl", "--format", "ocsf")
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["metadata"]["sequence"] for line in lines] == list(range(len(lines)))
    run("export", tmp_path / "log.csv", "--format", "csv", "--operation", "user.create", "--first", 1)
    with (tmp_path / "log.csv").open(newline="") as file:
        assert {row["operation"] for row in csv.DictReader(file)} == {"user.create"}
    home.system.base.sequencer.flush()
    (entry, *_) = listed("search", "--operation", "audit.export", "--outcome", "done")
    assert entry["facts"]["format"] == "csv"
    assert entry["facts"]["count"] >= 1
    assert entry["facts"]["first"] == 1
    with pytest.raises(Invalid):
        run("export", tmp_path / "log.csv", "--format", "csv")


def test_a_cut_export_leaves_no_file(client: HouseClient, tmp_path: Path) -> None:
    client.cut = 10
    with pytest.raises(IntegrityError) as caught:
        run("export", tmp_path / "log.jsonl", "--format", "ocsf")
    assert caught.value.code == "export-incomplete"
    assert list(tmp_path.iterdir()) == []


def test_the_folder_that_is_exported_holds(home: House, client: HouseClient, owner: Person, tmp_path: Path) -> None:
    said = run("export", tmp_path / "log")
    assert "troth audit verify" in said
    assert verify_log(tmp_path / "log", str(home.system.base.sequencer.origins.key(owner.tenant))).size > 5
    with pytest.raises(Invalid):
        run("export", tmp_path / "other", "--actor", "usr_a")
    assert audit_export


def test_an_auditor_for_a_time_reads_the_log_until_it_is_ended(home: House, owner: Person) -> None:
    made = home.ok("POST", "/v1/users", owner.headers, email="gail@guest.example.org", display_name="Gail", roles=[])
    gail = home.settle("gail@guest.example.org", made["password"])
    assert home.call("GET", "/v1/activity", gail.headers).status_code == 403
    given = home.ok("POST", "/v1/auditors", owner.headers, user_id=gail.id, days=2, reason="the yearly audit")
    assert home.ok("GET", "/v1/activity", gail.headers)["entries"]
    assert home.ok("GET", "/v1/auditors", owner.headers)["auditors"][0] == given
    for method, path in (("POST", "/v1/objects"), ("GET", "/v1/users"), ("POST", "/v1/auditors")):
        assert home.call(method, path, gail.headers).status_code in (403, 404, 405)
    home.ok("DELETE", f"/v1/auditors/{gail.id}", owner.headers)
    assert home.call("GET", "/v1/activity", gail.headers).status_code == 401
    for days in (0, 91):
        body = {"user_id": gail.id, "days": days, "reason": "too short or too long"}
        assert home.call("POST", "/v1/auditors", owner.headers, **body).status_code == 422
