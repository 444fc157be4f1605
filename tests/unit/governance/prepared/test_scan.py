"""A scan is clean only when everything was looked at in a fresh list."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from troth.governance.prepared.advisories import Advisories, read
from troth.governance.prepared.sbom import Component, Environment
from troth.governance.prepared.scan import FRESH_DAYS, scan

NOW = 1_795_392_000_000  # 2026-11-23
DAY = 86_400_000
GOOD = Environment((Component("acme", "2.0"), Component("other", "1.0")))


def known(changed: str = "2026-11-22T00:00:00Z", introduced: str = "1.0", fixed: str = "1.5") -> Advisories:
    events = [{"introduced": introduced}, {"fixed": fixed}]
    affected = [{"package": {"ecosystem": "PyPI", "name": "acme"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
    return read(json.dumps([{"id": "A-1", "modified": changed, "affected": affected}]).encode(), "test")


def test_what_is_mended_is_clean_and_what_is_not_is_found() -> None:
    assert scan(GOOD, known(), NOW).state == "clean"
    seen = scan(Environment((Component("acme", "1.4"),)), known(), NOW)
    assert seen.state == "found"
    assert [(one.component, one.advisory, one.fixed) for one in seen.found] == [("acme", "A-1", "1.5")]


@pytest.mark.parametrize(
    ("wrong", "environment", "advisories"),
    [
        ("no-components", lambda: Environment(()), known),
        ("skipped", lambda: Environment(GOOD.components, unreadable=1), known),
        ("skipped", lambda: Environment((Component("acme", "not a version"),)), known),
        ("stale", lambda: GOOD, lambda: known("2026-11-10T00:00:00Z")),
        ("from-the-future", lambda: GOOD, lambda: known("2026-11-25T00:00:00Z")),
    ],
)
def test_what_proves_nothing_is_an_error_and_never_clean(
    wrong: str, environment: Callable[[], Environment], advisories: Callable[[], Advisories]
) -> None:
    seen = scan(environment(), advisories(), NOW)
    assert seen.state == "error"
    assert seen.wrong == (wrong,)


def test_freshness_ends_after_its_days() -> None:
    as_of = known().as_of
    assert scan(GOOD, known(), as_of + FRESH_DAYS * DAY).state == "clean"
    assert scan(GOOD, known(), as_of + FRESH_DAYS * DAY + 1).state == "error"
