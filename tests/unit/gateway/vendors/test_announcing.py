"""Notice before data goes somewhere new: what is announced when, and the moment from which the gate lets through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway_world import DAY, World, due_diligence
from troth.gateway.sub_processors import ListSubProcessors, SubProcessorOperations, listed
from troth.gateway.vendors.announcing import Notice, announced, unannounced
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.papers import SubProcessor
from troth.gateway.vendors.record import Happened, Observed, State, VendorRecord
from troth.kernel.clock import epoch_ms, iso
from troth.kernel.errors import Unavailable
from troth.vault.rights.clocks import calendar_of

EU = RequestFacts("eu")
NOTICE = Notice(30, calendar_of("eu"))
HOSTER = {"name": "hoster", "region": "eu", "accepted": True}


def at(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


NOW = at("2026-11-02T10:00:00")
ENDS = at("2026-12-02T21:00:00")  # midnight of 2 December in the east of the EU, by summer time: never a day too early


def vendor(seen: Observed | None = None, **facts: Any) -> VendorRecord:
    on_file = due_diligence(NOW, **({"agreement_ends": NOW + 300 * DAY} | facts))
    return VendorRecord(id="acme", kind="openai-compatible", state=State.APPROVED, facts=on_file,
                        requested_by="usr_one", observed=seen or Observed())  # fmt: skip


def approved(record: VendorRecord, now: int = NOW) -> VendorRecord:
    seen = record.observed.model_copy(update={"announced": announced(record, NOTICE, now)})
    return record.model_copy(update={"observed": seen})


def test_the_route_opens_with_the_moment_at_which_the_last_day_has_ended() -> None:
    record = approved(vendor())
    assert [one.ends for one in record.observed.announced or ()] == [NOTICE.ends(NOW)]
    end = NOTICE.ends(NOW)
    with pytest.raises(Unavailable) as refusal:
        admissible(record, EU, end - 1)
    assert refusal.value.code == "notice-running"
    admissible(record, EU, end)


def test_a_notice_ends_when_its_last_day_has_ended_everywhere_in_the_jurisdiction() -> None:
    assert NOTICE.ends(NOW) == ENDS
    assert NOTICE.ends(at("2026-11-02T00:30:00")) == ENDS - DAY  # in the west it was the day before still


def test_a_new_place_and_a_new_sub_processor_are_announced_anew_and_what_stood_stays() -> None:
    first = approved(vendor())
    later = NOW + 60 * DAY
    wider = approved(vendor(first.observed, regions=("eu", "us"), sub_processors=(SubProcessor(**HOSTER),)), later)
    assert {(one.name, one.region): one.at for one in wider.observed.announced or ()} == {
        ("Acme Models", "eu"): NOW,
        ("Acme Models", "us"): later,
        ("hoster", "eu"): later,
    }
    assert unannounced(wider, later)
    assert not unannounced(wider, NOTICE.ends(later))


def test_what_goes_and_comes_back_is_announced_anew() -> None:
    both = approved(vendor(regions=("eu", "us")))
    without = approved(vendor(both.observed), NOW + DAY)
    again = approved(vendor(without.observed, regions=("eu", "us")), NOW + 60 * DAY)
    assert unannounced(again, NOW + 61 * DAY)


def test_a_sub_processor_that_begins_later_stops_nothing_before() -> None:
    late = SubProcessor(**HOSTER, since=NOW + 40 * DAY)
    first = approved(vendor())
    record = approved(vendor(first.observed, sub_processors=(late,)), NOW + 35 * DAY)
    assert not unannounced(record, late.since - 1)
    assert unannounced(record, late.since)


def test_told_elsewhere_counts_from_then_and_never_from_the_future() -> None:
    filed = Observed(history=(FILED,))
    assert not unannounced(approved(vendor(filed, announced_at=NOW - 40 * DAY)), NOW)
    assert unannounced(approved(vendor(filed, announced_at=NOW - 10 * DAY)), NOW)
    assert [one.at for one in approved(vendor(announced_at=NOW + 40 * DAY)).observed.announced or ()] == [NOW]


FILED = Happened(at=NOW - 60 * DAY, by="usr_one", what="added", facts="0" * 64)
AMENDED = Happened(at=NOW - 5 * DAY, by="usr_one", what="amended", facts="0" * 64, changed=("announced_at",))


@pytest.mark.parametrize(
    ("history", "counts"),
    [
        ((), NOW),
        ((FILED,), NOW - 40 * DAY),
        ((FILED, AMENDED), NOW - 40 * DAY),
        ((FILED, AMENDED.model_copy(update={"changed": ("regions",)})), NOW - 5 * DAY),
        ((FILED, AMENDED.model_copy(update={"changed": ("base_url",)})), NOW - 5 * DAY),
        ((FILED.model_copy(update={"at": NOW - 10 * DAY}),), NOW - 10 * DAY),
        ((AMENDED,), NOW - 5 * DAY),
    ],
    ids=["no-history", "on-file", "day-amended", "region-amended", "address-amended", "filed-later", "cut"],
)
def test_no_notice_is_older_than_the_record_that_says_where_data_goes(
    history: tuple[Happened, ...], counts: int
) -> None:
    record = approved(vendor(Observed(history=history), announced_at=NOW - 40 * DAY))
    assert [one.at for one in record.observed.announced or ()] == [counts]
    assert unannounced(record, NOW) == (counts > NOW - 40 * DAY)


def test_a_draft_that_is_suspended_was_never_published(world: World) -> None:
    world.vendors.add("acme", due_diligence(world.now, "https://vendor.test/v1"), None, "usr_one")
    world.vendors.suspend("acme", "usr_two")
    assert listed(world.vendors.all(), world.now) == ()
    world.add_vendor("https://vendor.test/v1", vendor="other", name="Other Models")
    world.vendors.suspend("other", "usr_two")
    assert [(one.name, one.state) for one in listed(world.vendors.all(), world.now)] == [("Other Models", "stopped")]


def test_what_runs_on_this_machine_needs_no_notice() -> None:
    assert approved(vendor(base_url="http://127.0.0.1:9/v1")).observed.announced == ()
    assert announced(LOCAL_STUDIO, NOTICE, NOW) == ()
    assert not unannounced(LOCAL_STUDIO, NOW)


def test_records_of_before_stay_in_use_and_the_list_says_that_nobody_was_told() -> None:
    record = vendor()
    admissible(record, EU, NOW)
    assert [(one.state, one.announced_at, one.routed_from) for one in listed([record], NOW)] == [("in-use", None, None)]


def test_the_public_list_counts_begun_days_and_shows_no_draft() -> None:
    record = approved(vendor(sub_processors=(SubProcessor(**HOSTER),)))
    end = NOTICE.ends(NOW)
    rows = listed([record, LOCAL_STUDIO, vendor().model_copy(update={"state": State.DRAFT})], NOW)
    told = {(one.name, one.by, one.state, one.announced_at, one.routed_from, one.days_left) for one in rows}
    assert told == {
        ("Acme Models", None, "announced", iso(NOW), iso(end), 31),
        ("hoster", "Acme Models", "announced", iso(NOW), iso(end), 31),
    }
    assert {(one.state, one.days_left) for one in listed([record], end - 1)} == {("announced", 1)}
    assert {(one.state, one.days_left) for one in listed([record], end)} == {("in-use", 0)}
    stopped = record.model_copy(update={"state": State.SUSPENDED})
    assert {one.state for one in listed([stopped], end)} == {"stopped"}


def test_amended_papers_publish_nothing_new_before_they_are_approved(world: World) -> None:
    world.add_vendor("https://vendor.test/v1")
    wider = due_diligence(world.now, "https://vendor.test/v1", regions=("eu", "us"))
    world.vendors.amend("acme", wider, None, "usr_one")
    shown = SubProcessorOperations(world.vendors, world.clock).list(world.call(), ListSubProcessors())
    assert [(one.name, one.region, one.state) for one in shown.sub_processors] == [("Acme Models", "eu", "stopped")]


def test_approval_announces_and_the_registry_keeps_it(world: World) -> None:
    world.add_vendor("https://vendor.test/v1", announced_at=None)
    told = world.vendors.get("acme").observed.announced
    assert told is not None
    assert [(one.name, one.region, one.at) for one in told] == [("Acme Models", "eu", world.now)]
    with pytest.raises(Unavailable, match="notice"):
        admissible(world.vendors.get("acme"), EU, world.now + 29 * DAY)
