"""The register of risks as pictures: a matrix of likelihood and impact, and how many were open month by month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from troth.governance import messages as m
from troth.kernel.caller import Caller
from troth.portal import charts
from troth.portal.desk import Desk

FORM = "risks"
_CLOSED = "closed"
_PAGE = 200
_MOST = 1_000  # records that are drawn, the newest
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class RiskCharts:
    """Both pictures and the same as rows: (likelihood, impact, level, count), heaviest first; (month, open)."""

    matrix: Markup
    cells: tuple[tuple[int, int, str, int], ...]
    trend: Markup
    months: tuple[tuple[str, int], ...]
    unassessed: int
    more: bool


async def charts_of(desk: Desk, caller: Caller, form: str) -> RiskCharts | None:
    """The pictures of the register of risks; of any other register there are none."""
    if form != FORM:
        return None
    found: list[m.RecordShown] = []
    after: str | None = None
    while len(found) < _MOST:
        page: m.RecordPage = await desk.run(
            "register.list", caller, m.RegisterList(form=form, after=after, limit=_PAGE)
        )
        found += page.records
        if (after := page.next) is None:
            break
    return drawn(found, datetime.now(UTC), more=after is not None)


def drawn(records: Sequence[m.RecordShown], now: datetime, *, more: bool = False) -> RiskCharts:
    """The pictures of some records at a time."""
    alive = [one for one in records if one.state != _CLOSED]
    placed = [one for one in map(_place, alive) if one is not None]
    counted = Counter(placed)
    months = tuple((name, _open(records, end)) for name, end in _ends(now))
    return RiskCharts(
        matrix=charts.matrix(counted),
        cells=tuple((likely, bad, charts.level(likely, bad), counted[likely, bad])
                    for likely, bad in sorted(counted, key=lambda one: (-one[0] * one[1], one))),
        trend=charts.trend(months, "Open risks at the end of each month"),
        months=months,
        unassessed=len(alive) - len(placed),
        more=more,
    )  # fmt: skip


def _place(one: m.RecordShown) -> tuple[int, int] | None:
    """Where it lies: after its treatment when it has one, else as it was assessed; nowhere before that."""
    for end in ("_after", ""):
        values = [one.values.get(f"{name}{end}") for name in ("likelihood", "impact")]
        if all(isinstance(value, int) and 1 <= value <= 5 for value in values):
            return int(str(values[0])), int(str(values[1]))
    return None


def _open(records: Sequence[m.RecordShown], end: int) -> int:
    return sum(one.opened_at < end and not (one.state == _CLOSED and one.changed_at < end) for one in records)


def _ends(now: datetime) -> list[tuple[str, int]]:
    """The last twelve months and when each ended (epoch ms); the present one ends now."""
    present = now.year * 12 + now.month - 1
    found = []
    for number in range(present - _MONTHS + 1, present + 1):
        following = datetime((number + 1) // 12, (number + 1) % 12 + 1, 1, tzinfo=UTC)
        end = min(following, now)
        found.append((f"{number // 12}-{number % 12 + 1:02}", round(end.timestamp() * 1000)))
    return found
