"""Requests and answers of the calendar. Times in epoch ms."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.governance.messages import DueShown


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CalendarShow(_Message):
    """What is due within `days` from now, and everything that is overdue; at most `limit` of it."""

    days: Annotated[int, Field(ge=1, le=800)] = 92
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class WeekShown(BaseModel):
    """Seven days from `start`, and how many things fall due in them."""

    start: int
    count: int


class CalendarShown(BaseModel):
    """What is due, overdue first; `more` when there is more than is shown.

    `unjudged`: registers and rooms of which nobody can tell what is due, by name.
    """

    now: int
    overdue: int
    dues: tuple[DueShown, ...]
    more: bool
    unjudged: tuple[str, ...]
    weeks: tuple[WeekShown, ...]
