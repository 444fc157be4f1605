"""What requests used in a month: one's own, or the tenant's for who administers it; a bar for each day, and a table."""

from __future__ import annotations

from calendar import monthrange

from starlette.requests import Request
from starlette.responses import Response

from troth.gateway.wire.usage import ExportUsage, ShowUsage, UsageShown
from troth.kernel.caller import Caller
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import filled
from troth.portal.navigation import may_administer
from troth.portal.pages.limits import view_of
from troth.portal.render import Page, page

_HEIGHT = 100.0  # of the chart, in its own units
_MICRO = 1_000_000
_ADVICE = "Name a month as 2026-11."


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """The month that was asked for, or the present one."""
    whole = _whole(request, caller)
    wanted = filled(ShowUsage, _ADVICE, **_given(request, "month"))
    view: UsageShown = await desk.run("usage.tenant" if whole else "usage.show", caller, wanted)
    held = await view_of(desk, caller, whole=whole)
    return page(
        "usage.html",
        Page("Usage", "/account", caller),
        view=view,
        budgets=held.budgets,
        whole=whole,
        may_see_all=may_administer(caller),
        bars=_bars(view),
        money=_money,
    )


async def export(desk: Desk, request: Request, caller: Caller) -> Response:
    """The rows of a month as a file."""
    wanted = filled(ExportUsage, _ADVICE, **_given(request, "month", "day", "format"))
    name = "usage.tenant-export" if _whole(request, caller) else "usage.export"
    return attachment(await desk.run(name, caller, wanted))


def _whole(request: Request, caller: Caller) -> bool:
    return request.query_params.get("of") == "tenant" and may_administer(caller)


def _given(request: Request, *names: str) -> dict[str, str]:
    return {name: value for name in names if (value := request.query_params.get(name))}


def _bars(view: UsageShown) -> list[tuple[float, int]]:
    """For each day of the month the height of its bar, and its requests."""
    year, month = map(int, view.month.split("-"))
    days = [view.days.get(f"{view.month}-{day:02}") for day in range(1, monthrange(year, month)[1] + 1)]
    counts = [0 if one is None else one.requests for one in days]
    most = max(1, *counts)
    return [(round(_HEIGHT * count / most, 2), count) for count in counts]


def _money(costs: dict[str, int]) -> str:
    """For people: 1.25 EUR."""
    return ", ".join(f"{amount / _MICRO:,.2f} {currency}" for currency, amount in sorted(costs.items())) or "—"
