"""Charts say in words what they draw, and draw nothing for what is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from troth.governance.messages import RecordShown
from troth.portal.charts import bar, matrix, trend
from troth.portal.pages.risk_charts import drawn


def test_a_bar_has_one_path_for_each_state_that_is_drawn() -> None:
    made = bar(["unknown", "kept", "kept", "not kept", "kept", "not configured", "kept with exception"])
    assert 'aria-label="7 months: kept 3, unknown 1, not kept 1, not configured 1, kept with exception 1"' in made
    assert made.count("<path") == 3
    assert '<path class="k" d="M1 1h2M4 1h1"/>' in made
    assert '<path class="b" d="M3 1h1"/>' in made


def test_a_year_of_silence_draws_nothing_and_no_year_is_no_bar() -> None:
    assert "<path" not in bar(["unknown"] * 12)
    assert 'aria-label="12 months: unknown 12"' in bar(["unknown"] * 12)
    assert bar([]) == ""


def risk(at: str, **more: Any) -> RecordShown:
    opened = round(datetime.fromisoformat(at).timestamp() * 1000)
    return RecordShown(**{"id": "rec_a", "state": "found", "opened_at": opened, "changed_at": opened, "sequence": 1,
                          "forgotten": 0, "values": {}} | more)  # fmt: skip


def test_risks_lie_where_their_treatment_leaves_them_and_closed_ones_are_gone() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    treated = {"likelihood": 5, "impact": 5, "likelihood_after": 1, "impact_after": 4}
    gone = round(datetime(2026, 10, 5, tzinfo=UTC).timestamp() * 1000)
    shown = drawn(
        [
            risk("2025-01-01T00:00+00:00", values=treated),
            risk("2026-09-30T23:59+00:00", values={"likelihood": 4, "impact": 4}),
            risk("2026-11-01T00:00+00:00"),
            risk("2026-09-01T00:00+00:00", state="closed", changed_at=gone, values=treated),
        ],
        now,
    )
    assert shown.cells == ((4, 4, "high", 1), (1, 4, "low", 1))
    assert 'aria-label="likelihood 4 impact 4: 1, likelihood 1 impact 4: 1"' in shown.matrix
    assert shown.unassessed == 1
    assert (len(shown.months), shown.months[0][0]) == (12, "2025-12")
    assert shown.months[-4:] == (("2026-08", 1), ("2026-09", 3), ("2026-10", 2), ("2026-11", 3))


def test_a_trend_draws_nothing_for_nothing() -> None:
    assert trend([("a", 0), ("b", 2)], "Things").count('height="0"') == 1
    assert 'aria-label="Things: a 0, b 2"' in trend([("a", 0), ("b", 2)], "Things")
    assert "no risk was assessed yet" in matrix({})
