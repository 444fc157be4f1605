"""/v1/usage and /v1/tenant-usage: what requests used in a month."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from troth.gateway.wire.fields import Answer, Wire

MonthName = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


class ShowUsage(Wire):
    """A calendar month in UTC, as 2026-11; the present one when none is named."""

    month: MonthName | None = None


class ExportUsage(ShowUsage):
    """The rows of a month, or of one day of it."""

    day: Annotated[int, Field(ge=1, le=31)] | None = None
    format: Literal["csv", "json"] = "csv"


class Used(Answer):
    """Sums over requests; `seconds` of video, `costs` in millionths by currency."""

    requests: int
    tokens_in: int
    tokens_out: int
    images: int
    seconds: int
    bytes: int
    costs: dict[str, int]


class UsageShown(Answer):
    """`days` are written 2026-11-22. `people` and `keys` by their ids; an empty key is a person's own session."""

    month: str
    total: Used
    days: dict[str, Used]
    models: dict[str, Used]
    people: dict[str, Used]
    keys: dict[str, Used]
