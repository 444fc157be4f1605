"""The words of limits: of what, in which window, and how much at most.

Amounts are whole numbers everywhere: requests, tokens, pictures, seconds of video, bytes, and money in millionths of
the currency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from troth.kernel.errors import Invalid

MICRO = 1_000_000  # parts of one unit of the currency
MOST = 10**15  # of anything: sums of it stay exact in the doubles that Lua and Python compute with
_DAY_MS = 86_400_000


class Kind(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    IMAGES = "images"
    SECONDS = "seconds"
    BYTES = "bytes"
    MONEY = "money"
    RUNNING = "concurrent"


class Window(StrEnum):
    """Over which time. A month is one of the calendar, in UTC; the others are buckets that fill up evenly."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    NOW = "now"


SPANS_MS: Mapping[Window, int] = {Window.MINUTE: 60_000, Window.HOUR: 3_600_000, Window.DAY: _DAY_MS}
_NAME = re.compile(r"(requests|tokens|images|seconds|bytes|money)-per-(minute|hour|day|month)\Z")
CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit: `tokens-per-day`, or `concurrent` for requests that run at the same time."""

    kind: Kind
    window: Window

    @property
    def name(self) -> str:
        """Its name in settings, requests and answers."""
        return CONCURRENT if self.window is Window.NOW else f"{self.kind}-per-{self.window}"


@cache
def rule(name: str) -> Rule:
    """The rule of a name. Raises `Invalid` (unknown-limit)."""
    if name == CONCURRENT:
        return Rule(Kind.RUNNING, Window.NOW)
    found = _NAME.match(name)
    if found is None:
        raise Invalid(
            "A limit is called requests, tokens, images, seconds, bytes or money, then -per-minute, -per-hour, "
            "-per-day or -per-month; or concurrent.",
            code="unknown-limit",
        )
    return Rule(Kind(found[1]), Window(found[2]))


Amounts = Mapping[str, int]  # name of a rule -> how much at most


def amounts(written: Mapping[str, Any]) -> dict[str, int]:
    """Limits as people write them, in whole numbers; money in the currency, as `12.50`. Raises `Invalid`."""
    found = {}
    for name, value in written.items():
        money = rule(name).kind is Kind.MONEY
        found[name] = _whole(value, MICRO if money else 1)
    return found


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in ms since the epoch, and the calendar month around it: its number, and when it began and ends."""

    now: int
    month: int
    began: int
    ends: int


@cache
def _month(month: int) -> tuple[int, int]:
    first, following = (datetime(one // 12, one % 12 + 1, 1, tzinfo=UTC) for one in (month, month + 1))
    return int(first.timestamp() * 1000), int(following.timestamp() * 1000)


def moment(now: int) -> Moment:
    """Of a time in ms since the epoch."""
    day = datetime.fromtimestamp(now / 1000, UTC)
    month = day.year * 12 + day.month - 1
    return Moment(now, month, *_month(month))


def _whole(value: Any, parts: int) -> int:
    try:
        number = (Decimal(str(value)) * parts).to_integral_value(ROUND_FLOOR)
    except (ArithmeticError, ValueError):  # no number, or 1e999999, which overflows when it is multiplied
        number = Decimal(-1)
    if not number.is_finite() or not 0 <= number <= MOST:
        raise Invalid("A limit is a number from 0 to 1,000,000,000,000,000; money has at most six decimals.",
                      code="bad-limit")  # fmt: skip
    return int(number)
