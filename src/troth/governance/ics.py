"""What is due as a calendar file (RFC 5545): one event for each, lines folded at 75 octets, nothing about people.

Titles are words of forms and rooms; who it concerns, and every text that somebody entered, stays on the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from troth.governance.dues import Due

MEDIA_TYPE: Final = "text/calendar"
MOST_EVENTS: Final = 1_000
_OCTETS: Final = 75  # of a line, without its end (section 3.1)
_LATE: Final = {"overdue": "Overdue: ", "lapsed": "Lapsed: "}
_ESCAPES: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def feed(dues: Sequence[Due], now: int, page: str, unjudged: Sequence[str] = ()) -> bytes:
    """A calendar of what is due. `now` in epoch ms; `page`: the address of the calendar's page.

    What cannot be told stands in it as an event of today, and so does that there is more than fits.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Troth//Calendar//EN", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", "NAME:Due", "X-WR-CALNAME:Due", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]
    about = now, page
    for one in dues[:MOST_EVENTS]:
        lines += _event(uid(one), one.at, _title(one), f"By: {_plain(one.by)}. State: {one.state}.", about)
    for name in unjudged:
        place, says = _hashed("unjudged", name), "What is due there nobody can tell now."
        lines += _event(place, now, f"Cannot be judged: {_plain(name)}", says, about)
    if len(dues) > MOST_EVENTS:
        title = f"{len(dues) - MOST_EVENTS} further things are due"
        lines += _event(_hashed("more"), now, title, "They stand on the page.", about)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line)).encode()


def uid(due: Due) -> str:
    """The same for the same thing whenever it is asked, also when its time moves; it names nobody."""
    return _hashed(due.form, due.record, due.name, due.person or "")


def _hashed(*parts: str) -> str:
    return f"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}@troth"


def _title(one: Due) -> str:
    return f"{_LATE.get(one.state, '')}{_plain(one.name).capitalize()} ({_plain(one.form)})"


def _plain(token: str) -> str:
    return token.replace("-", " ").replace("_", " ")


def _event(place: str, at: int, title: str, text: str, about: tuple[int, str]) -> Iterator[str]:
    now, page = about
    yield from ("BEGIN:VEVENT", f"UID:{place}", f"DTSTAMP:{_utc(now)}", f"DTSTART:{_utc(at)}")
    yield from (f"SUMMARY:{title.translate(_ESCAPES)}", f"DESCRIPTION:{text.translate(_ESCAPES)}")
    yield from (f"URL:{page}", "TRANSP:TRANSPARENT", "CLASS:CONFIDENTIAL", "END:VEVENT")


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of 75 octets, the later ones behind a space; no character is cut."""
    piece, size = "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > _OCTETS:
            yield piece
            piece, size = " ", 1
        piece, size = piece + sign, size + octets
    yield piece
