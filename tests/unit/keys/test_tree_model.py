"""The key tree against a dict, under random histories."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from key_world import Made, World
from troth.kernel.errors import Gone
from troth.keys import btree

TENANTS, SUBJECTS = st.sampled_from(["ten_a", "ten_b"]), st.sampled_from(["usr_a", "usr_b", "usr_c", "usr_d"])


class TreeModel(RuleBasedStateMachine):
    """Adds, erasures, rotations and restarts; the model is what must open."""

    units = Bundle("units")

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(btree, "LEAF_MAX", 3)
        self.patch.setattr(btree, "BRANCH_MAX", 3)
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder)
        self.live: dict[bytes, Made] = {}
        self.gone: set[bytes] = set()
        self.erased: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        self.world.close()
        self.patch.undo()
        shutil.rmtree(self.folder)

    @rule(target=units, tenant=TENANTS, subject=SUBJECTS, count=st.integers(1, 5))
    def own(self, tenant: str, subject: str, count: int) -> object:
        if (tenant, subject) in self.erased:
            with pytest.raises(Gone):
                self.world.own(tenant, subject)
            return multiple()
        made = self.world.own(tenant, subject, count)
        self.live |= {one.key.id: one for one in made}
        return multiple(*(one.key.id for one in made))

    @rule(tenant=TENANTS, subject=SUBJECTS, period=st.sampled_from(["1", "2"]))
    def shared(self, tenant: str, subject: str, period: str) -> None:
        if (tenant, subject) not in self.erased:
            made = self.world.shared(tenant, subject, period)
            assert self.live.setdefault(made.key.id, made).key == made.key

    @rule(unit=consumes(units))
    def destroy_unit(self, unit: bytes) -> None:
        self.world.tree.destroy_units([unit])
        self._forget({unit})

    @rule(tenant=TENANTS, subject=SUBJECTS)
    def destroy_subject(self, tenant: str, subject: str) -> None:
        self.world.tree.destroy_subject(tenant, subject)
        self.erased.add((tenant, subject))
        self._forget({one for one, made in self.live.items() if (made.tenant, made.subject) == (tenant, subject)})

    @rule()
    def rotate(self) -> None:
        self.world.tree.rotate()

    @rule()
    def restart(self) -> None:
        self.world.reopen()

    @invariant()
    def opens_what_lives_and_nothing_else(self) -> None:
        tree = self.world.tree
        assert {one: tree.key(one) for one in self.live} == {one: made.key for one, made in self.live.items()}
        for one in self.gone:
            with pytest.raises(Gone):
                tree.key(one)
        assert tree.verify() == len(self.live)

    def _forget(self, units: set[bytes]) -> None:
        for unit in units:
            self.live.pop(unit, None)
        self.gone |= units


TestTreeModel = TreeModel.TestCase
TestTreeModel.settings = settings(
    max_examples=10, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
