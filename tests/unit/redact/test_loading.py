"""A detector that is on its way: who needs it waits, and what goes wrong on the way stops everybody."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from troth.kernel.errors import Unavailable
from troth.redact.detect import rules_detector
from troth.redact.loading import Loading

TEXT = "maria@example.org"


def test_a_text_waits_for_its_detector() -> None:
    gate = threading.Event()

    def load(_tier: str) -> Any:
        gate.wait(10)
        return rules_detector()

    loading = Loading("rules", load)
    assert not loading.missing  # nobody asked for it
    loading.begin()
    assert loading.missing
    threading.Timer(0.05, gate.set).start()
    assert [span.kind for span in loading.detect(TEXT)] == ["email"]
    assert list(loading.detect_many([TEXT, "x"])) == [loading.detect(TEXT), []]
    assert loading.version == rules_detector().version
    assert not loading.missing


def test_it_is_loaded_once() -> None:
    loads: list[str] = []

    def load(tier: str) -> Any:
        loads.append(tier)
        return rules_detector()

    loading = Loading("fast", load)
    for _ in range(3):
        loading.begin()
        loading.require()
    assert loads == ["fast"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Unavailable("Install the extra.", code="extra-missing"), "extra-missing"),
        (ValueError("secret path"), "detector-down"),
        (MemoryError(), "detector-down"),
    ],
)
def test_what_cannot_be_loaded_is_refused_each_time(fault: Exception, code: str) -> None:
    def load(_tier: str) -> Any:
        raise fault

    loading = Loading("fast", load)
    for use in (
        loading.require,
        lambda: loading.detect(TEXT),
        lambda: loading.version,
        lambda: loading.detect_many([]),
    ):
        with pytest.raises(Unavailable) as refusal:
            use()
        assert refusal.value.code == code
        assert "secret" not in refusal.value.advice
    assert loading.missing
