"""Playing today into an older backup: everybody ends where the living ledger has them, and nobody is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_world import Someone, World, restore, started, world
from troth.kernel.errors import TrothError
from troth.kernel.scope import SYSTEM, within
from troth.vault.restriction import Restrictions
from troth.wiring import Troth


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        yield made


def _restrictions(troth: Troth) -> Restrictions:
    return Restrictions(troth.system.vault.erasures._ground)


def _answers(troth: Troth, person: Someone, *, duty: bool = False) -> set[str]:
    """What opening says for each of a person's things: `opens` or the code of the refusal."""
    said = set()
    for one in person.kept:
        try:
            troth.system.vault.objects.open(person.tenant, person.subject, one, duty=duty)
            said.add("opens")
        except TrothError as error:
            said.add(error.code)
    return said


def test_restricted_people_are_kept_and_stand_as_they_stand_today(home: World, tmp_path: Path) -> None:
    tenant = home.tenant("One")
    still, lifted, late = (home.someone(tenant) for _ in range(3))
    register = _restrictions(home.troth)
    for one in (still, lifted):
        register.place(tenant, one.subject, reason="accuracy-contested", officer=None, request="req_1")
    home.backups.run()
    register.lift(tenant, lifted.subject, officer=None, request="req_2")
    register.place(tenant, late.subject, reason="accuracy-contested", officer=None, request="req_3")
    done = restore(home.settings, tmp_path / "restored")
    assert done.replayed.people == ()
    home.close()
    with started(home.settings, tmp_path / "restored") as troth, within(SYSTEM):
        assert _answers(troth, lifted) == {"opens"}
        for one in (still, late):
            assert _answers(troth, one) == {"restricted"}
            assert _answers(troth, one, duty=True) == {"opens"}
            _restrictions(troth).lift(tenant, one.subject, officer=None, request="req_4")
            assert _answers(troth, one) == {"opens"}
