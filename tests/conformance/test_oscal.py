"""OSCAL: all eight models against the schema that NIST publishes (1.2.3), and sixteen planted faults."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from oscal_world import FAULTS, assessed, models, refused
from troth.promises.oscal.crosscheck import faults
from troth.promises.oscal.documents import documents

Spoil = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Any]]:
    return documents(assessed())


@pytest.fixture(scope="module")
def few() -> dict[str, dict[str, Any]]:
    return documents(assessed(16))


def test_there_is_one_document_of_each_model(made: dict[str, dict[str, Any]]) -> None:
    assert {next(iter(one)) for one in made.values()} == models()


def test_the_published_schema_accepts_every_document(made: dict[str, dict[str, Any]]) -> None:
    assert {name: refused(one)[:3] for name, one in made.items()} == {name: [] for name in made}


@pytest.mark.parametrize(("name", "file", "spoil", "by_schema"), FAULTS, ids=[one[0] for one in FAULTS])
def test_every_planted_fault_is_found(
    few: dict[str, dict[str, Any]], name: str, file: str, spoil: Spoil, by_schema: bool
) -> None:
    bent = {**few, file: copy.deepcopy(few[file])}
    spoil(next(iter(bent[file].values())))
    assert bool(refused(bent[file])) is by_schema, name
    assert by_schema or {one.document for one in faults(bent)} == {file}, name


def test_sixteen_faults_are_planted() -> None:
    assert len(FAULTS) == 16
