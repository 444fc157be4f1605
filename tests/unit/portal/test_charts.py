"""Charts say in words what they draw, and draw nothing for what is unknown."""

from __future__ import annotations

from troth.portal.charts import bar


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
