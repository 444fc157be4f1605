"""Generated media says so: the check sees it, and sees when it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import delete

from promise_world import named
from troth.kernel.errors import TooMany
from troth.kernel.scope import SYSTEM
from troth.promises.check import Check, Result, judge
from troth.promises.checks import marks
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault import prints

CHECK = named(marks.CHECKS, "outputs-say-that-they-are-generated")
LOOK = named(marks.CHECKS, "copies-are-told-by-their-look")


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(CHECK)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested == 9


def test_a_copy_is_told_by_its_look_and_that_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(LOOK)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested == 5


def test_a_look_that_outlives_its_picture_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prints, "drop", lambda _connection, _ids: None)
    monkeypatch.setattr(prints, "answers", lambda *_: True)
    facts = LOOK.observe(system)
    assert judge(facts) is Result.FAIL
    assert facts.broken == 1
    with system.base.database.write(SYSTEM) as connection:
        connection.execute(delete(prints.prints))


def test_without_fingerprints_it_is_not_set_up(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.gateway.fingerprints, "audience", "nobody")
    assert judge(LOOK.observe(system)) is Result.NOT_CONFIGURED


def test_a_mark_that_is_forgotten_is_seen(system: System) -> None:
    class Forgetful:
        def mark(self, image: Image.Image) -> Image.Image:
            return image

    bad = replace(system, gateway=replace(system.gateway, watermark=Forgetful()))  # type: ignore[arg-type]
    facts = CHECK.observe(bad)
    assert judge(facts) is Result.FAIL
    assert facts.details == {"outputs": 2, "marked": 1}


def test_a_false_statement_of_the_source_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "_SIDE", 90)  # too small to look for a mark, which takes seconds and tells nothing here
    signed = next(marks._unmarked(system))[0]
    truthful = marks._marked(system, lambda _system: iter([(signed, "trainedAlgorithmicMedia")]))
    lying = marks._marked(system, lambda _system: iter([(signed, "algorithmicMedia")]))
    assert lying.broken == truthful.broken + 1


def test_who_is_in_front_is_waited_for(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, refusals = list[float](), [TooMany("Files of others are being looked at.", code="busy")]

    class Busy:
        def run(self, *words: Any) -> Any:
            if refusals:
                raise refusals.pop()
            return system.dispatcher.run(*words)

    monkeypatch.setattr(marks, "time", SimpleNamespace(sleep=waits.append))
    monkeypatch.setattr(marks, "_SIDE", 90)
    verdict = marks._asked(replace(system, dispatcher=Busy()), marks._drawn(1))  # type: ignore[arg-type]
    assert (verdict.media_type, waits) == ("image/png", [1])
