"""Stored times and how they are shown."""

from __future__ import annotations

from datetime import UTC, datetime

from troth.kernel.clock import epoch_ms, from_epoch_ms, iso, iso_if


def test_there_and_back() -> None:
    moment = datetime(2026, 11, 22, 8, 1, 34, 885_000, UTC)
    assert epoch_ms(moment) == 1_795_334_494_885
    assert from_epoch_ms(epoch_ms(moment)) == moment


def test_stored_times_are_shown_in_utc_with_milliseconds() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_795_334_494_885) == "2026-11-22T08:01:34.885Z"
    assert iso_if(1) == "1970-01-01T00:00:00.001Z"
    assert iso_if(None) is None
