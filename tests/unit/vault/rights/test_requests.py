"""Moves of a request: which are possible when, and what must be shown first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict
from troth.vault.rights.clocks import Calendar, Kind, Law, Urgency, calendar_of
from troth.vault.rights.requests import (
    MOVES,
    NEEDED,
    OPEN,
    Level,
    Request,
    State,
    moved,
    require_extendable,
    require_known,
)

RECEIVED = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLAIN = Calendar()


def request(**members: object) -> Request:
    values: dict[str, object] = dict.fromkeys(Request.__dataclass_fields__)
    usual = {"kind": Kind.ACCESS, "law": Law.GDPR, "state": State.VERIFIED, "level": Level.HIGH, "channel": "portal"}
    times = {"id": "rgt_a", "tenant": "ten_a", "received_at": epoch_ms(RECEIVED), "escalated": 0, "earlier": ()}
    return Request(**(values | usual | times | members))  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(sorted(MOVES))))
def test_what_is_closed_stays_closed(moves: list[str]) -> None:
    seen = request(state=State.RECEIVED)
    for move in moves:
        try:
            after = moved(seen, move)
        except Conflict:
            assert (
                not seen.open
                or (move == "answer" and seen.state not in (State.IN_PROGRESS, State.EXTENDED))
                or (move == "extend" and seen.state is State.EXTENDED)
            )
            continue
        assert seen.open
        seen = request(state=after)


@pytest.mark.parametrize("state", [State.ANSWERED, State.REFUSED, State.WITHDRAWN])
@pytest.mark.parametrize("move", sorted(MOVES))
def test_nothing_moves_a_closed_request(state: State, move: str) -> None:
    with pytest.raises(Conflict) as refusal:
        moved(request(state=state), move)
    assert refusal.value.code == "request-state"


@pytest.mark.parametrize("state", [State.RECEIVED, State.CONFIRMED, State.VERIFIED])
def test_nobody_answers_what_nobody_took(state: State) -> None:
    with pytest.raises(Conflict):
        moved(request(state=state), "answer")


def test_an_extension_survives_later_moves() -> None:
    for move in ("confirm", "verify", "sort", "take"):
        assert moved(request(state=State.EXTENDED), move) is State.EXTENDED


def test_every_kind_says_what_must_be_shown() -> None:
    assert set(NEEDED) == set(Kind)
    for kind in (Kind.ACCESS, Kind.PORTABILITY, Kind.ERASURE, Kind.RECTIFICATION):
        for level in (Level.NONE, Level.LOW):
            with pytest.raises(Conflict) as refusal:
                require_known(request(kind=kind, level=level))
            assert refusal.value.code == "identity-not-shown"
        require_known(request(kind=kind, level=Level.HIGH))
    require_known(request(kind=Kind.OPT_OUT, level=Level.NONE))


def test_one_extension_in_time_where_the_law_has_one() -> None:
    require_extendable(request(), RECEIVED + timedelta(days=30), PLAIN)
    refusals = []
    for seen, now in (
        (request(extended_at=1), RECEIVED),
        (request(law=Law.CCPA, kind=Kind.OPT_OUT), RECEIVED),
        (request(), RECEIVED + timedelta(days=31)),
    ):
        with pytest.raises(Conflict) as refusal:
            require_extendable(seen, now, PLAIN)
        refusals.append(refusal.value.code)
    assert refusals == ["extended-already", "no-extension", "extension-too-late"]


def test_the_nearer_clock_counts() -> None:
    ccpa = request(law=Law.CCPA, state=State.RECEIVED)
    assert ccpa.urgency(RECEIVED, PLAIN) is Urgency.ON_TIME
    assert ccpa.urgency(datetime(2026, 12, 3, tzinfo=UTC), PLAIN) is Urgency.DUE_SOON  # confirm by 4 December
    assert ccpa.urgency(datetime(2026, 12, 5, tzinfo=UTC), PLAIN) is Urgency.OVERDUE
    told = request(law=Law.CCPA, state=State.CONFIRMED, confirmed_at=epoch_ms(RECEIVED))
    assert told.urgency(datetime(2026, 12, 5, tzinfo=UTC), PLAIN) is Urgency.ON_TIME


def test_a_closed_request_was_in_time_or_was_not() -> None:
    due = datetime(2026, 12, 23, tzinfo=UTC)
    early = request(state=State.ANSWERED, closed_at=epoch_ms(due) - 1)
    late = request(state=State.ANSWERED, closed_at=epoch_ms(due))
    far = RECEIVED + timedelta(days=999)
    assert (early.urgency(far, PLAIN), late.urgency(far, PLAIN)) == (Urgency.ON_TIME, Urgency.OVERDUE)
    longer = request(state=State.ANSWERED, closed_at=epoch_ms(due), extended_at=epoch_ms(RECEIVED))
    assert longer.urgency(far, PLAIN) is Urgency.ON_TIME


def test_open_states_are_the_first_five() -> None:
    assert tuple(State)[:5] == OPEN


WIDE = calendar_of("us")


@pytest.mark.parametrize(
    ("days", "before", "after", "due"),
    [
        # Unsorted in time: the clock was for the sorting, and the kind's own begins, from receipt.
        (0, (Law.CCPA, Kind.UNSORTED), (Law.CCPA, Kind.ACCESS), "2027-01-06"),
        (20, (Law.CCPA, Kind.UNSORTED), (Law.CCPA, Kind.ACCESS), "2026-12-11"),  # too late: its end stays
        (0, (Law.CCPA, Kind.OPT_OUT), (Law.CCPA, Kind.ACCESS), "2026-12-11"),  # a sorted kind's term stays in any case
        (0, (Law.GDPR, Kind.ACCESS), (Law.CCPA, Kind.ACCESS), "2026-12-22"),
        (0, (Law.CCPA, Kind.ACCESS), (Law.GDPR, Kind.ACCESS), "2026-12-22"),  # a stricter one may come
        (40, (Law.GDPR, Kind.ACCESS), (Law.CCPA, Kind.ERASURE), "2026-12-22"),
    ],
)
def test_sorting_anew_never_buys_time(days: int, before: tuple[Law, Kind], after: tuple[Law, Kind], due: str) -> None:
    seen = request(law=before[0], kind=before[1], confirmed_at=epoch_ms(RECEIVED))
    now = RECEIVED + timedelta(days=days)
    again = seen.sorted_as(*after, None, now, PLAIN)
    assert again.due(PLAIN).isoformat() == due
    back = again.sorted_as(*before, None, now, PLAIN).sorted_as(*after, None, now, PLAIN)
    assert back.due(PLAIN) <= again.due(PLAIN)


def test_what_was_overdue_stays_so_and_on_record_once() -> None:
    seen = request(law=Law.GDPR, kind=Kind.ACCESS, escalated=2)
    late = RECEIVED + timedelta(days=40)
    again = seen.sorted_as(Law.CCPA, Kind.ACCESS, None, late, PLAIN)
    assert (again.urgency(late, PLAIN), again.escalated) == (Urgency.OVERDUE, 2)
    soon = request(law=Law.CCPA, kind=Kind.UNSORTED, escalated=1, confirmed_at=epoch_ms(RECEIVED))
    assert soon.sorted_as(Law.CCPA, Kind.ACCESS, None, RECEIVED + timedelta(days=17), PLAIN).escalated == 0


def test_an_extension_does_not_outlive_a_kind_that_knows_none() -> None:
    longer = request(law=Law.CCPA, kind=Kind.ACCESS, state=State.EXTENDED, extended_at=epoch_ms(RECEIVED))
    now = RECEIVED + timedelta(days=1)
    again = longer.sorted_as(Law.CCPA, Kind.OPT_OUT, None, now, PLAIN).sorted_as(
        Law.CCPA, Kind.ACCESS, None, now, PLAIN
    )
    assert again.terms(PLAIN).longest is None
    with pytest.raises(Conflict) as refusal:
        require_extendable(replace(again, extended_at=None), now, PLAIN)
    assert refusal.value.code == "no-extension"


@given(st.lists(st.tuples(st.sampled_from(Law), st.sampled_from(Kind)), min_size=1, max_size=5), st.integers(0, 120))
def test_no_chain_of_sortings_gives_a_later_day(steps: list[tuple[Law, Kind]], days: int) -> None:
    """Also over the ends of months, in the zone where a day ends first and where it begins last."""
    for received, calendar in ((datetime(2028, 1, 31, 3, tzinfo=UTC), WIDE), (RECEIVED, PLAIN)):
        now = received + timedelta(days=days)
        one = request(law=Law.CCPA, kind=Kind.OPT_OUT, received_at=epoch_ms(received), confirmed_at=epoch_ms(received))
        strict = one.due(calendar)
        for law, kind in steps:
            one = one.sorted_as(law, kind, None, now, calendar)
            assert one.due(calendar) <= strict
            strict = one.due(calendar)
