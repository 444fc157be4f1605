"""A thousand lies about half a year: each is found by the command and by the page, which share no code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from log_verifiers import Page, Refused, page_verifier
from period_mutations import mutated
from period_world import PeriodWorld
from troth.audit import verifier_page
from troth.kernel.errors import IntegrityError
from troth.promises.period.verify import unpacked, verify_period

LIES = 1_000
HALF_A_YEAR = 184


@pytest.fixture(scope="module")
def world() -> PeriodWorld:
    return PeriodWorld(checks=2, days=HALF_A_YEAR, every=86_400)


@pytest.fixture(scope="module")
def content(world: PeriodWorld) -> bytes:
    return world.bundle()[0]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with page_verifier(Path(verifier_page.__file__).with_name(verifier_page.NAME)) as running:
        yield running


def test_the_command_takes_the_truth_and_none_of_a_thousand_lies(world: PeriodWorld, content: bytes) -> None:
    assert verify_period(unpacked(content), world.signers, world.trust).runs > 2 * HALF_A_YEAR
    taken = []
    for seed in range(LIES):
        kind, lie = mutated(world, content, seed)
        try:
            verify_period(unpacked(lie), world.signers, world.trust)
        except IntegrityError:
            continue
        taken.append((kind, seed))
    assert taken == []


def test_the_page_takes_the_truth_and_none_of_a_thousand_lies(
    world: PeriodWorld, content: bytes, page: Page, tmp_path: Path
) -> None:
    trust, path = str(world.trust.key), tmp_path / "period.zip"
    path.write_bytes(content)
    assert page.ask(trust=trust, period=path)["runs"] > 2 * HALF_A_YEAR
    taken = []
    for seed in range(LIES):
        kind, lie = mutated(world, content, seed)
        path.write_bytes(lie)
        try:
            page.ask(trust=trust, period=path)
        except Refused:
            continue
        taken.append((kind, seed))
    assert taken == []
