"""Requests and answers of the calendar. Times in epoch ms."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from troth.governance.messages import DueShown

WebhookEvent = Literal["calendar.reminder", "alarm", "sub-processor.announced", "paper.published"]
EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
WebhookId = Annotated[str, Field(pattern=r"^whk_[a-z2-7]{26}$")]


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

    `unjudged`: registers and rooms of which nobody can tell what is due, by name. `failing` and `dead`: messages about
    what is due that were not taken yet, or were given up. `subscribed`: the caller has a feed.
    `told_by`: the channels by which people are told without looking (mail, webhook); none: nothing is sent.
    """

    now: int
    overdue: int
    dues: tuple[DueShown, ...]
    more: bool
    unjudged: tuple[str, ...]
    weeks: tuple[WeekShown, ...]
    failing: int
    dead: int
    subscribed: bool
    told_by: tuple[str, ...]


class Nothing(_Message):
    """A request without fields."""


class FeedRead(_Message):
    """The secret end of a feed's address."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class FeedMade(BaseModel):
    """The address of your feed; it is told this once. Who has it reads what you may read, without signing in."""

    url: str


class Done(BaseModel):
    """It was done."""

    done: bool = True


class WebhookAdd(_Message):
    """A public https address that is to be told what is due; `events`: of what, by default of everything."""

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    events: Annotated[tuple[WebhookEvent, ...], Field(min_length=1, max_length=4)] = EVENTS


class WebhookNamed(_Message):
    """One webhook."""

    webhook_id: WebhookId


class WebhookMade(BaseModel):
    """A webhook with its secret (Standard Webhooks), which is told this once."""

    id: str
    secret: str


class WebhookShown(BaseModel):
    """A webhook and how it fares. `failing`: messages that wait after four tries; `dead`: given up; `trouble`: why.
    `events`: what it is told of."""

    id: str
    url: str
    made_at: int
    delivered_at: int | None
    failing: int
    dead: int
    trouble: str | None
    events: tuple[str, ...]


class WebhooksShown(BaseModel):
    """The webhooks of the tenant, the oldest first."""

    webhooks: tuple[WebhookShown, ...]


class WebhookTested(BaseModel):
    """Whether the message was taken; `trouble`: why not."""

    taken: bool
    trouble: str | None
