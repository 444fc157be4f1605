"""Requests: a late one turns the promise red, nobody unknown is answered, the e-mail desk really takes mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from promise_world import named, shown
from troth.kernel.clock import epoch_ms
from troth.promises.check import Check, Result, judge
from troth.promises.checks import requests
from troth.promises.probe import probe
from troth.promises.status import Run
from troth.promises.system import System
from troth.settings.load import load
from troth.vault.rights import handling
from troth.vault.rights import requests as machine
from troth.vault.rights.messages import RequestFile
from troth.vault.rights.outgoing import Outgoing
from troth.vault.rights.store import requests as table
from troth.vault.rights.upkeep import Upkeep
from troth.wiring import opened


@pytest.fixture(scope="module")
def posted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """An installation with an e-mail desk."""
    folder: Path = tmp_path_factory.mktemp("posted")
    data = {"folder": folder / "data", "keys": folder / "keys"}
    with opened(load(data=data, mail={"listen": "127.0.0.1:0", "domain": "desk.example.org"})) as troth:
        listener = troth.system.mail.listener
        assert listener is not None
        listener.start()
        yield troth.system
        listener.stop()


def test_requests_in_time(run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(requests.CHECKS, "requests-in-time"))
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


@pytest.mark.parametrize("closed", [False, True])
def test_one_late_request_of_anybody_is_seen(system: System, closed: bool) -> None:
    check = named(requests.CHECKS, "requests-in-time")
    with probe(system, neighbour=True) as person:
        made = person.run("request.file", RequestFile(kind="access"))
        long_ago = epoch_ms(system.base.clock.now() - timedelta(days=40))
        late = {"received_at": long_ago}
        if closed:
            late |= {"state": "answered", "closed_at": epoch_ms(system.base.clock.now())}
        with system.base.database.write() as connection:
            connection.execute(update(table).where(table.c.id == made.id).values(**late))
        assert shown(check, system) is Result.FAIL
        with system.base.database.write() as connection:
            connection.execute(delete(table).where(table.c.id == made.id))
    assert shown(check, system) is Result.PASS


def test_clocks_that_nobody_watches_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Upkeep, "escalate", lambda _self, _tenant=None: {})
    assert shown(named(requests.CHECKS, "requests-in-time"), system) is Result.FAIL


def test_a_second_extension_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "require_extendable", lambda *_: None)
    again = machine.MOVES["extend"] | {machine.State.EXTENDED: machine.State.EXTENDED}
    monkeypatch.setattr(machine, "MOVES", machine.MOVES | {"extend": again})
    assert shown(named(requests.CHECKS, "requests-in-time"), system) is Result.FAIL


def test_requester_identified(run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(requests.CHECKS, "requester-identified"))
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


def test_a_desk_that_believes_addresses_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "require_known", lambda _request: None)
    assert shown(named(requests.CHECKS, "requester-identified"), system) is Result.FAIL


def test_no_desk_is_not_configured(system: System) -> None:
    assert shown(named(requests.CHECKS, "requests-by-mail"), system) is Result.NOT_CONFIGURED


def test_requests_by_mail(posted: System) -> None:
    check = named(requests.CHECKS, "requests-by-mail")
    assert shown(check, posted) is Result.PASS
    assert judge(check.sabotage(posted)) is Result.FAIL


def test_a_desk_without_acknowledgement_is_seen(posted: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outgoing, "waiting", lambda _self, _tenant=None: [])
    assert shown(named(requests.CHECKS, "requests-by-mail"), posted) is Result.FAIL
