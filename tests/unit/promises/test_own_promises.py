"""A promise of the paper's own has a state and a year like any other: by all checks that the paper of the day named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from check_world import ONE, OTHER, CheckWorld, four_days
from database_world import opened
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import IntegrityError
from troth.promises.catalogue import catalogue
from troth.promises.history import DAY_MS
from troth.promises.own_promises import NAMED_TWICE, histories, standings
from troth.promises.own_rule import OwnRule
from troth.promises.paper.binding import OwnPromise, Paper
from troth.promises.paper.store import Head
from troth.promises.past import Past
from troth.promises.status import Standing, State

BOTH, FIRST = ("one", "two"), ("one",)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckWorld]:
    with opened("sqlite", folder := tmp_path_factory.mktemp("own")) as database:
        yield four_days(database, folder)


@pytest.fixture
def past(world: CheckWorld) -> Past:
    return Past(world.runner, world.database, world.clock, fresh=0)


def own(name: str = "OWN-01", checks: Sequence[str] = BOTH) -> OwnPromise:
    told: dict[str, Any] = {"statement": "We do.", "kind": "recorded", "bound": "all", "acceptance": "So."}
    return OwnPromise(id=name, checks=tuple(checks), **told)


def paper(*mine: OwnPromise) -> Paper:
    binding: Any = SimpleNamespace(paper="small")
    return Paper(binding, (), "", mine)


class Published:
    """Versions of a paper that take effect so many days before now."""

    def __init__(self, now: int, *versions: tuple[int, Paper | None]) -> None:
        self.heads = [
            Head(number, "small", str(number), f"{number}", "a", 0, "b", 0, now - days * DAY_MS, None, None)
            for number, (days, _) in enumerate(versions, 1)
        ]
        self._papers = {one: found for one, (_, found) in zip(self.heads, versions, strict=True)}

    def opened(self, head: Head) -> tuple[None, Paper]:
        found = self._papers[head]
        if found is None:
            raise IntegrityError("It was edited.", code="paper-changed")
        return None, found


def last_month(past: Past, world: CheckWorld, *versions: tuple[int, Paper | None]) -> dict[State, int]:
    now = epoch_ms(world.clock.now())
    published = Published(now, *versions)
    current = versions[-1][1]
    bars = histories(current, published.heads, published, past, now)  # type: ignore[arg-type]
    assert len(bars["OWN-01"].months) == 12
    return dict(bars["OWN-01"].months[-1].days)


def test_a_day_is_as_bad_as_the_worst_of_its_checks(past: Past, world: CheckWorld) -> None:
    alone, other, both = (OwnRule("OWN-01", frozenset(one)) for one in (FIRST, ("two",), BOTH))
    said = past.days_of([alone, other, both])
    settled = past.settled()
    assert settled.keys() == catalogue().keys()
    assert [said[alone][day] for day in settled[ONE]] == [*settled[ONE].values()]
    assert [said[other][day] for day in settled[OTHER]] == [*settled[OTHER].values()]
    assert {State.KEPT, State.NOT_KEPT, State.UNKNOWN} == {*said[both].values()}
    order = [State.NOT_KEPT, State.UNKNOWN, State.KEPT]
    assert all(said[both][day] is min(said[alone][day], said[other][day], key=order.index) for day in said[both])
    assert past.days_of([both]) == {both: said[both]}, "days that are over are judged once"
    assert world


def test_where_one_of_its_checks_is_not_planned_nobody_looked(past: Past) -> None:
    strange = OwnRule("OWN-01", frozenset(("one", "three")))
    assert {*past.days_of([strange])[strange].values()} == {State.UNKNOWN}


def test_each_day_is_judged_by_the_paper_of_that_day(past: Past, world: CheckWorld) -> None:
    whole = last_month(past, world, (300, paper(own())))
    assert whole[State.NOT_KEPT] == 2
    assert last_month(past, world, (300, paper(own(checks=FIRST))))[State.KEPT] == 4
    changed = last_month(past, world, (300, paper(own())), (1, paper(own(checks=FIRST))))
    assert changed[State.NOT_KEPT] == 2, "another definition does not make old days better"
    late = last_month(past, world, (300, paper()), (1, paper(own())))
    assert late[State.UNKNOWN] == sum(whole.values()) - sum(late[one] for one in late if one is not State.UNKNOWN)
    assert late[State.UNKNOWN] > whole[State.UNKNOWN], "before it was promised nobody can say that it was kept"
    assert last_month(past, world, (300, None), (1, paper(own()))) == late, "an edited version says nothing"


def test_what_the_catalogue_has_too_is_unknown_and_has_no_bar(past: Past, world: CheckWorld) -> None:
    rows = [(one, Standing(State.KEPT, (), "checked")) for one in catalogue().values()]
    found = standings(rows, paper(own("CRY-01"), own()), world.runner, epoch_ms(world.clock.now()))
    states = {promise.id: (stood.state, stood.reason) for promise, stood in found}
    assert states["CRY-01"] == (State.UNKNOWN, NAMED_TWICE)
    assert states["CRY-02"] == (State.KEPT, "checked")
    assert len(found) == len(rows) + 1
    assert next(promise for promise, _ in found if promise.id == "CRY-01") is catalogue()["CRY-01"]
    published = Published(0, (0, paper(own("CRY-01"))))
    assert histories(paper(own("CRY-01")), published.heads, published, past, 0) == {}  # type: ignore[arg-type]


def test_without_a_paper_of_its_own_nothing_is_asked() -> None:
    nothing: Any = None
    assert histories(None, (), nothing, nothing, 0) == {}
    assert histories(paper(), (), nothing, nothing, 0) == {}
