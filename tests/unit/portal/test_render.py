from __future__ import annotations

import re

import pytest

from troth.kernel.caller import anonymous
from troth.kernel.errors import NotFound
from troth.portal.desk import refused
from troth.portal.render import POLICY, Page, address, counted, day, moment, page, percent, shortened, size, static
from worlds import person


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (None, "never"),
        (0, "1 Jan 1970, 00:00 UTC"),
        (1_795_348_800_000, "22 Nov 2026, 12:00 UTC"),
        ("2026-11-22T12:00:00.000Z", "22 Nov 2026, 12:00 UTC"),
        ("2026-11-22T13:00:00+01:00", "22 Nov 2026, 12:00 UTC"),
        (2**53 - 1, "no end"),
    ],
)
def test_moments(time: int | str | None, told: str) -> None:
    assert moment(time) == told


def test_days() -> None:
    assert day("2026-11-02T23:59:59Z") == "2 Nov 2026"
    assert day(None) == "never"


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_250_000, "1.2 MB"), (10**9, "1.0 GB"), (10**13, "10000.0 GB")],
)
def test_sizes(count: int, told: str) -> None:
    assert size(count) == told


def test_numbers_for_people() -> None:
    assert [counted(1, "day"), counted(0, "day"), counted(28_800, "day")] == ["1 day", "0 days", "28,800 days"]
    assert counted(2, "entry", "entries") == "2 entries"
    told = [percent(value) for value in (None, 100.0, 99.5, 0.0, 99.9996, 1.001)]
    assert told == ["no data", "100 %", "99.5 %", "0 %", "99.999 %", "1.001 %"]


def test_long_ids_by_their_beginning() -> None:
    assert shortened("usr_r4u24qmev5kqswlomaiaohdmf4") == "usr_r4u24qme\N{HORIZONTAL ELLIPSIS}"
    assert shortened("ten_a") == "ten_a"


def test_a_page_lets_nothing_in_and_is_kept_nowhere() -> None:
    shown = page("verify.html", Page("Verify"), result=None, error=None)
    assert shown.headers["content-security-policy"] == POLICY
    assert "script-src" not in POLICY
    assert "unsafe" not in POLICY
    assert shown.headers["cache-control"] == "no-store"


def test_what_a_page_is_given_is_escaped() -> None:
    hostile = NotFound("<script>alert('x')</script>")
    body = bytes(refused(hostile, anonymous()).body).decode()
    assert "<script" not in body
    assert "&lt;script&gt;alert(&#39;x&#39;)" in body


def test_a_static_file_has_its_digest_in_its_address() -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{12}/troth\.css", address("troth.css"))
    assert static("mark.svg")[1] == "image/svg+xml"
    for name in ("../render.py", "frame.html", ""):
        with pytest.raises(KeyError):
            static(name)


def test_a_signed_in_person_can_leave_every_page() -> None:
    body = bytes(page("verify.html", Page("Verify", caller=person("member")), result=None, error=None).body).decode()
    assert 'action="/sign-out"' in body
    assert 'href="/sign-in"' not in body
