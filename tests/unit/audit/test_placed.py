"""What readers show is what was placed: a row that somebody changed is refused by everything that shows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from database_world import owned
from log_world import World
from troth.audit import store
from troth.audit.decisions import DecisionList, decisions
from troth.audit.log import Filter
from troth.audit.review import store as reviews
from troth.kernel.errors import IntegrityError

_SHOWN: dict[str, Callable[[World], object]] = {
    "entry": lambda world: world.reader.entry("operator", 260),
    "entries": lambda world: world.reader.entries("operator", 255, 10),
    "page": lambda world: world.reader.page("operator", Filter(actor="usr_b"), before=None, limit=3),
    "stretch": lambda world: world.reader.stretch("operator", Filter(), 250, 270),
    "decisions": lambda world: decisions(world.database, "operator", DecisionList()),
    "reviewed": lambda world: _acts(world),  # noqa: PLW0108 - defined below
}


def _acts(world: World) -> object:
    with world.database.read() as connection:
        return list(reviews.acts(connection, 1, range(300), {"vendor.approve": 3}))


def grown(world: World) -> None:
    world.grow(260)
    world.grow(1, start=260, actor="usr_b", operation="vendor.approve", phase="opened")
    world.grow(10, start=261)


@pytest.mark.parametrize("way", _SHOWN)
def test_a_changed_row_is_not_shown(world: World, way: str) -> None:
    grown(world)
    assert _SHOWN[way](world)
    leaf = world.reader.entry("operator", 260)
    with owned(world.database) as connection:
        row = update(store.entries).where(store.entries.c.position == 260)
        connection.execute(row.values(leaf=leaf.replace(b"usr_b", b"usr_c")))
    with pytest.raises(IntegrityError, match="Entry 260") as refused:
        _SHOWN[way](world)
    assert refused.value.code == "log-broken"
    assert len(world.reader.entries("operator", 0, 260)) == 260  # what nobody touched is shown on
