"""The operation of period reports, and `troth promises report`: what they give, and what they refuse."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from check_world import CheckWorld, check
from database_world import DATABASES, opened
from troth.audit.note import VerifierKey
from troth.audit.verify import Trust
from troth.cli.client import Client
from troth.cli.main import troth
from troth.kernel.caller import Caller
from troth.kernel.errors import Conflict, Invalid, TrothError, Unavailable
from troth.kernel.operation import Binary, Call
from troth.promises.period.gathering import Sources
from troth.promises.period.operations import PeriodOperations, PeriodWish
from troth.promises.period.verify import unpacked, verify_period
from worlds import MovableClock

DAYS = {"every": 6 * 3600, "fresh": 12 * 3600}


@pytest.fixture(scope="module", params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckWorld]:
    """A check, four times a day, for three days that are over."""
    folder = tmp_path_factory.mktemp("operations")
    with opened(request.param, folder) as database:
        made = CheckWorld(database, folder, (check("one", **DAYS),), MovableClock(datetime(2026, 11, 22, tzinfo=UTC)))
        for _ in range(14):
            made.scheduler.tick()
            made.clock.forward(hours=6)
        made.place()
        yield made


@pytest.fixture
def reports(world: CheckWorld) -> PeriodOperations:
    assert world.log_world is not None
    log = world.log_world
    return PeriodOperations(Sources(world.database, log.reader, log.prover, world.schedules, world.clock), world.key)


def _call(world: CheckWorld) -> Call:
    return Call(Caller("usr_auditor", "user", "ten_a", "usr_auditor"), "req_1", world.clock.now())


def _made(world: CheckWorld, reports: PeriodOperations, start: str, end: str) -> tuple[Call, Binary]:
    call = _call(world)
    return call, reports.report(call, PeriodWish.model_validate({"from": start, "to": end}))


def test_the_file_holds_and_the_entry_names_its_period_and_digest(world: CheckWorld, reports: PeriodOperations) -> None:
    call, made = _made(world, reports, "2026-11-23", "2026-11-25")
    assert (made.media_type, made.filename) == ("application/zip", "period-2026-11-23-2026-11-25.zip")
    assert world.log_world is not None
    trust = Trust(VerifierKey.parse(world.log_world.vkey()))
    held = verify_period(unpacked(made.content), {world.key.name: world.key.public_key}, trust)
    assert (held.report["expected"], held.report["missed"]) == (8, 0)
    facts = {"period": "2026-11-23", "until": "2026-11-25"}
    assert call.facts == facts | {"digest": hashlib.sha256(unpacked(made.content)["report.json"]).hexdigest()}


def test_the_same_question_gives_the_same_bytes(world: CheckWorld, reports: PeriodOperations) -> None:
    first, again = (_made(world, reports, "2026-11-23", "2026-11-25")[1] for _ in range(2))
    assert first.content == again.content


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2026-11-23", "2026-11-23", "bad-period"),
        ("2026-11-24", "2026-11-23", "bad-period"),
        ("2025-01-01", "2026-11-23", "bad-period"),
        ("2026-11-24", "2026-11-26", "period-open"),
        ("2027-01-01", "2027-01-02", "period-open"),
    ],
)
def test_what_is_no_period_or_not_over_is_refused_and_noted_nowhere(
    world: CheckWorld, reports: PeriodOperations, start: str, end: str, code: str
) -> None:
    call = _call(world)
    with pytest.raises((Invalid, Conflict)) as refused:
        reports.report(call, PeriodWish(**{"from": date.fromisoformat(start), "to": date.fromisoformat(end)}))
    assert (refused.value.code, call.facts) == (code, {})


def test_one_report_at_a_time_and_the_next_one_after_a_refusal(world: CheckWorld, reports: PeriodOperations) -> None:
    with reports._turn, pytest.raises(Unavailable) as refused:
        _made(world, reports, "2026-11-23", "2026-11-24")
    assert refused.value.code == "report-busy"
    with pytest.raises(Conflict):
        _made(world, reports, "2026-11-24", "2026-11-26")
    assert _made(world, reports, "2026-11-23", "2026-11-24")[1].content


class _Server:
    """Answers as a server does, and keeps what it was asked."""

    def __init__(self, content: bytes = b"", refusal: TrothError | None = None) -> None:
        self.content, self.refusal, self.asked = content, refusal, list[tuple[str, str, Any]]()

    def call(self, *question: Any) -> _Server:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(question)
        return self


def _run(server: _Server, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setattr(Client, "from_environment", lambda: server)
    return CliRunner().invoke(troth, ["promises", "report", *words])


def test_the_command_fetches_into_a_private_file_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, target = _Server(b"PK"), tmp_path / "half-year.zip"
    words = ("--from", "2026-07-01", "--to", "2027-01-01", "--out", str(target))
    done = _run(server, monkeypatch, *words)
    assert (done.exit_code, target.read_bytes(), target.stat().st_mode & 0o777) == (0, b"PK", 0o600)
    assert server.asked == [("POST", "/v1/period-reports", {"from": "2026-07-01", "to": "2027-01-01"})]
    again = _run(_Server(b"other"), monkeypatch, *words)
    assert isinstance(again.exception, Conflict)
    assert (target.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (b"PK", ["half-year.zip"])


@pytest.mark.parametrize("word", ["2026-13-01", "yesterday", ""])
def test_a_day_that_is_none_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    server = _Server(b"PK")
    words = ("--from", word, "--to", "2027-01-01", "--out", str(tmp_path / "out.zip"))
    assert (_run(server, monkeypatch, *words).exit_code, server.asked) == (2, [])


def test_what_the_server_refuses_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = Conflict("The period is not closed yet.", code="period-open")
    words = ("--from", "2026-07-01", "--to", "2027-01-01", "--out", str(tmp_path / "out.zip"))
    assert _run(_Server(refusal=refusal), monkeypatch, *words).exception is refusal
    assert list(tmp_path.iterdir()) == []


def test_the_bundle_is_a_plain_zip_of_json(world: CheckWorld, reports: PeriodOperations) -> None:
    content = _made(world, reports, "2026-11-23", "2026-11-24")[1].content
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert {"report.json", "period.json", "verifier.html", "runs/one.json"} <= set(names)
    assert json.loads(unpacked(content)["report.json"])["form"] == "troth-period-report-v1"
