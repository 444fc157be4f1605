"""The calendar file, read by a strict reader of RFC 5545 that stands here and knows nothing of ours."""

from __future__ import annotations

import re

from troth.governance.dues import Due, plain_due
from troth.governance.ics import MOST_EVENTS, feed, uid
from troth.governance.looking import DAY_MS

NOW = 1_800_000_000_000
PAGE = "https://troth.example.org/calendar"
NAME = re.compile(r"[A-Z][A-Z0-9-]*")


def due(name: str, days: float = 1, record: str = "rec_1") -> Due:
    return plain_due(("risks", record, name), NOW + int(days * DAY_MS), "owner", now=NOW)


def read(content: bytes) -> list[dict[str, str]]:
    """The events. Fails on a bare line end, a long line, a cut character, a repeated or unknown part."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    physical = content.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 75 for line in physical)
    for raw in physical:
        raw.decode("utf-8")  # no character is cut
    logical = content.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")
    assert (logical[0], logical[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    events: list[dict[str, str]] = []
    inside: dict[str, str] | None = None
    for line in logical[1:-1]:
        name, value = line.split(":", 1)
        assert NAME.fullmatch(name.split(";")[0]), line
        if line == "BEGIN:VEVENT":
            assert inside is None
            inside = {}
        elif line == "END:VEVENT":
            assert inside is not None
            assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= inside.keys()
            events.append(inside)
            inside = None
        elif inside is not None:
            assert name not in inside
            inside[name] = value
    assert inside is None
    assert len({one["UID"] for one in events}) == len(events)
    return events


def test_an_event_for_each_thing() -> None:
    late, later = read(feed([due("review", -3), due("next-round", 3)], NOW, PAGE))
    assert late["SUMMARY"] == "Overdue: Review (risks)"
    assert (later["SUMMARY"], later["DTSTART"], later["URL"]) == ("Next round (risks)", "20270118T080000Z", PAGE)
    assert later["DESCRIPTION"] == "By: owner. State: soon."


def test_an_identity_stays_when_the_time_moves_and_names_nobody() -> None:
    assert uid(due("review", 1)) == uid(due("review", 40))
    assert uid(due("review")) != uid(due("review", record="rec_2"))
    assert "rec_1" not in feed([due("review")], NOW, PAGE).decode()


def test_long_and_odd_words_are_folded_and_escaped() -> None:
    odd = "zaö€𝄞,;\\ \r\nBEGIN:VEVENT " * 30
    (found,) = read(feed([due(odd)], NOW, PAGE))
    assert found["SUMMARY"].count("BEGIN:VEVENT".lower()) == 30  # as a text of its line, not as a line
    assert "\\n" in found["SUMMARY"]
    assert "\\," in found["SUMMARY"]


def test_what_cannot_be_told_is_an_event_and_so_is_more() -> None:
    events = read(feed([due(f"d{number}") for number in range(MOST_EVENTS + 7)], NOW, PAGE, ["risks"]))
    assert len(events) == MOST_EVENTS + 2
    assert [one["SUMMARY"] for one in events[-2:]] == ["Cannot be judged: risks", "7 further things are due"]
    assert read(feed([], NOW, PAGE)) == []
