"""What was used, as doors may ask for it: one's own, and that of the tenant for who administers it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime

from troth.gateway.limits.rules import Moment, moment
from troth.gateway.limits.store import DAY_MS, Totals, UsageRow
from troth.gateway.limits.usage import Usage
from troth.gateway.wire.usage import ExportUsage, ShowUsage, UsageShown, Used
from troth.kernel.errors import Invalid, TooLarge
from troth.kernel.operation import Binary, Call, Group, Route, operation

_MOST = 50_000  # rows in one file
_COLUMNS = tuple(name for name in UsageRow.__slots__ if name != "tenant")


class UsageOperations:
    """Sums of a month, and its rows as a file."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    @operation("usage.show", group=Group.OWN_DATA, request=ShowUsage, command=("usage", "show"),
               route=Route("GET", "/v1/usage", body="none"))  # fmt: skip
    def show(self, call: Call, request: ShowUsage) -> UsageShown:
        """Show what your requests used in a month."""
        return self._shown(call.tenant, self._month(request), call.subject)

    @operation("usage.export", group=Group.OWN_DATA, request=ExportUsage, command=("usage", "export"),
               route=Route("GET", "/v1/usage/export", body="none"))  # fmt: skip
    def export(self, call: Call, request: ExportUsage) -> Binary:
        """Give the rows of your requests in a month as CSV or JSON."""
        return self._file(call, request, call.subject)

    @operation("usage.tenant", group=Group.ADMINISTER, request=ShowUsage, command=("usage", "tenant"),
               route=Route("GET", "/v1/tenant-usage", body="none"))  # fmt: skip
    def tenant(self, call: Call, request: ShowUsage) -> UsageShown:
        """Show what your tenant used in a month, by day, model, person and key."""
        return self._shown(call.tenant, self._month(request), None)

    @operation("usage.tenant-export", group=Group.ADMINISTER, request=ExportUsage, command=("usage", "tenant-export"),
               route=Route("GET", "/v1/tenant-usage/export", body="none"))  # fmt: skip
    def tenant_export(self, call: Call, request: ExportUsage) -> Binary:
        """Give the rows of your tenant's requests in a month as CSV or JSON."""
        return self._file(call, request, None)

    def _month(self, request: ShowUsage) -> Moment:
        if request.month is None:
            return self._usage.now()
        began = datetime.strptime(request.month, "%Y-%m").replace(tzinfo=UTC)
        return moment(int(began.timestamp() * 1000))

    def _shown(self, tenant: str, of: Moment, subject: str | None) -> UsageShown:
        found = self._usage.month(tenant, of, subject)
        days = {str(_time(day).date()): one for day, one in found.days.items()}
        return UsageShown(
            month=_time(of.began).strftime("%Y-%m"),
            total=_used(found.total),
            days=_all(days),
            models=_all(found.models),
            people=_all(found.people),
            keys=_all(found.keys),
        )

    def _file(self, call: Call, request: ExportUsage, subject: str | None) -> Binary:
        of = self._month(request)
        name = f"usage-{_time(of.began):%Y-%m}"
        if request.day is not None:
            began = of.began + (request.day - 1) * DAY_MS
            if began >= of.ends:
                raise Invalid("That month has no such day; name one that it has.", code="bad-day", field="day")
            of, name = replace(of, began=began, ends=began + DAY_MS), f"{name}-{request.day:02}"
        rows = self._usage.rows(call.tenant, of, subject, _MOST + 1)
        if len(rows) > _MOST:
            raise TooLarge(f"These are more than {_MOST:,} rows; ask day by day.", code="too-many-rows")
        call.note(count=len(rows))
        told = [{column: getattr(row, column) for column in _COLUMNS} for row in rows]
        if request.format == "json":
            return Binary(json.dumps(told).encode(), "application/json", f"{name}.json")
        text = io.StringIO()
        writer = csv.DictWriter(text, _COLUMNS, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(told)
        return Binary(text.getvalue().encode(), "text/csv; charset=utf-8", f"{name}.csv")


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _used(totals: Totals) -> Used:
    return Used(**asdict(totals))


def _all(found: Mapping[str, Totals]) -> dict[str, Used]:
    return {name: _used(found[name]) for name in sorted(found)}
